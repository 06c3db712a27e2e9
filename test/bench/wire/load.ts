import { z } from "zod";
import { startProcess } from "../../../src/demo/processes.ts";
import type { Stops } from "./bench.ts";
import type { GoPrograms } from "./go-programs.ts";

/** What one run of the load saw; times in microseconds. */
const LoadResultSchema = z.object({
  requests: z.int(),
  seconds: z.number(),
  requestsPerS: z.number(),
  p50Us: z.number(),
  p99Us: z.number(),
  status: z.record(z.string(), z.int()),
  connectionErrors: z.int(),
  /** Answers other than 2xx, and connection errors. */
  failed: z.int(),
  stable: z.int(),
  canary: z.int(),
  unnamed: z.int(),
  canaryOnStable: z.int(),
  stableOnCanary: z.int(),
});

export type LoadResult = z.infer<typeof LoadResultSchema>;

/** One run of the load; it ends by itself after the time, or after so many requests. */
export interface LoadOptions {
  readonly port: number;
  readonly rulesPath: string;
  readonly connections: number;
  readonly seconds: number;
  /** No limit when absent. */
  readonly requests?: number;
  /** One more header of each request, as `name: value`. */
  readonly header?: string;
}

/** Beyond its own limit, for the start and the last answers. */
const GRACE_MS = 20_000;

/** Runs the load to its end; throws when it fails or does not end. */
export async function runLoad(go: GoPrograms, options: LoadOptions, stops: Stops): Promise<LoadResult> {
  const { port, rulesPath, connections, seconds, requests = 0, header = "" } = options;
  const lines: string[] = [];
  const place = ["--address", `127.0.0.1:${port}`, "--rules", rulesPath];
  const size = ["--connections", String(connections), "--seconds", String(seconds), "--requests", String(requests), "--header", header];
  const load = await startProcess({
    name: "load",
    program: go.load,
    args: [...place, ...size],
    onLine: (line, from) => {
      if (from === "stdout") lines.push(line);
    },
  });
  const kill = (): Promise<unknown> => load.kill();
  stops.push(kill);
  const timer = setTimeout(() => void kill(), seconds * 1_000 + GRACE_MS);
  const { code } = await load.ended;
  clearTimeout(timer);
  stops.splice(stops.indexOf(kill), 1);
  if (code !== 0) throw new Error(`the load did not end well:\n${load.output()}`);
  return LoadResultSchema.parse(JSON.parse(lines.join("")));
}

/** Requests whose user saw another variant than the rules say. */
export const misrouted = ({ canaryOnStable, stableOnCanary }: LoadResult): number => canaryOnStable + stableOnCanary;
