import { LABELS, RESOURCE } from "../../../src/contract/evidence.ts";
import type { Receipt } from "../../../src/contract/messages.ts";
import { METRICS, SUBJECTS } from "../../../src/contract/names.ts";
import type { LiveRule } from "../../../src/contract/rules.ts";
import { type NatsLink, subscribeSafely } from "../../../src/io/nats.ts";
import { decodeManifest } from "../../../src/io/rules-store.ts";
import { note } from "../wire/bench.ts";

/** Sidecars of many rollouts, in the messages of the contract: each obeys at once and tells cumulative counts of all rollouts, in as many messages as real ones. */
export interface ManySidecars {
  /** Rules in force. */
  live(): Readonly<Record<string, LiveRule>>;
  /** Resolves with the moment at which a manifest came in that has this rollout off. */
  whenOff(name: string): Promise<number>;
  /** A canary fails this many requests from now on, and one sidecar tells of it at once. */
  fail(name: string): void;
  stop(): void;
}

interface Counted {
  stable: number;
  canary: number;
  failed: number;
  run: number;
}

/** Two cells a rollout, and 50 cells a message. */
const ROLLOUTS_A_MESSAGE = 25;
const REQUESTS_A_ROUND = 100;
/** Between two rounds of a sidecar, as real ones do. */
const roundMs = (rollouts: number): number => Math.min(4_000, 1_000 + 3 * rollouts) + 1_000 * Math.random();
/** Manifests are read so often at most: all sidecars share one process here. */
const READ_MS = 100;
const startNs = `${Date.now()}000000`;

export function startSidecars(link: NatsLink, count: number): ManySidecars {
  let manifest: ReturnType<typeof decodeManifest> | undefined;
  const waiting = new Map<string, (atMs: number) => void>();
  const ids = Array.from({ length: count }, (_, index) => `side-${index}`);
  const sequences = new Map<string, number>();
  const counts = new Map<string, Counted>();
  const failing = new Set<string>();
  const say = (sidecar: string): void => {
    if (manifest === undefined) return;
    const { epoch, revision } = manifest;
    const atMs = Date.now();
    const receipt: Receipt = { format: 1, sidecar, epoch, revision, sinceMs: atMs, atMs, startedAtMs: 1, state: "ok", rejected: 0 };
    link.connection.publish(SUBJECTS.receipt(sidecar), JSON.stringify(receipt));
  };
  let newest: Uint8Array | undefined;
  let reading: NodeJS.Timeout | undefined;
  const read = (): void => {
    reading = undefined;
    if (newest !== undefined) manifest = decodeManifest(newest);
    for (const id of ids) say(id);
  };
  const stopPush = subscribeSafely(
    link,
    SUBJECTS.push(SUBJECTS.manifest),
    ({ data }) => {
      const atMs = performance.now();
      for (const [name, tell] of waiting) {
        // As it stands in the message: reading a thousand rules takes longer than what is measured.
        if (!Buffer.from(data).includes(`${String.raw`\"`}${name}${String.raw`\":{\"run\":3,\"shareBp\":0,\"off\":true`}`)) continue;
        waiting.delete(name);
        tell(atMs);
      }
      newest = data;
      reading ??= setTimeout(read, READ_MS);
    },
    (error) => note(String(error)),
  );
  const tell = (sidecar: string, names: readonly string[]): void => {
    const sequence = (sequences.get(sidecar) ?? 0) + 1;
    sequences.set(sidecar, sequence);
    link.connection.publish(
      SUBJECTS.evidence(sidecar),
      JSON.stringify(
        message(
          sequence,
          names.map((name) => [name, countedOf(sidecar, name)]),
        ),
      ),
    );
  };
  const countedOf = (sidecar: string, name: string): Counted => {
    const { run = 0, shareBp = 0 } = manifest?.live[name] ?? {};
    const known = counts.get(`${sidecar} ${name}`);
    const counted = known?.run === run ? known : { stable: 0, canary: 0, failed: 0, run };
    counts.set(`${sidecar} ${name}`, counted);
    const canary = Math.round((REQUESTS_A_ROUND * shareBp) / 10_000);
    counted.stable += REQUESTS_A_ROUND - canary;
    counted.canary += canary;
    if (failing.has(name)) counted.failed += canary;
    return counted;
  };
  const round = (sidecar: string): void => {
    say(sidecar);
    const names = Object.keys(manifest?.live ?? {});
    // As real ones do: a message, then a turn of the loop.
    const next = (at: number): void => {
      if (at >= names.length || link.connection.isClosed()) return;
      tell(sidecar, names.slice(at, at + ROLLOUTS_A_MESSAGE));
      setImmediate(() => next(at + ROLLOUTS_A_MESSAGE));
    };
    next(0);
  };
  const timers = new Map<string, NodeJS.Timeout>();
  const again = (id: string): void => {
    round(id);
    timers.set(
      id,
      setTimeout(() => again(id), roundMs(Object.keys(manifest?.live ?? {}).length)),
    );
  };
  for (const id of ids) again(id);
  return {
    live: () => manifest?.live ?? {},
    whenOff: (name) => new Promise((resolve) => waiting.set(name, resolve)),
    fail(name) {
      failing.add(name);
      for (const id of ids) tell(id, [name]);
    },
    stop() {
      stopPush();
      clearTimeout(reading);
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}

function message(sequence: number, all: readonly (readonly [string, Counted])[]): object {
  const attribute = (key: string, value: string): object => ({ key, value: { stringValue: value } });
  const labels = (name: string, variant: string, run: number): object[] => [
    attribute(LABELS.rollout, name),
    attribute(LABELS.variant, variant),
    attribute(LABELS.run, String(run)),
    attribute(LABELS.control, "false"),
  ];
  const both = (value: (counted: Counted, variant: "stable" | "canary") => number, ...extra: object[]): object[] =>
    all.flatMap(([name, counted]) =>
      (["stable", "canary"] as const).map((variant) => ({
        attributes: [...labels(name, variant, counted.run), ...extra],
        startTimeUnixNano: startNs,
        timeUnixNano: "2000",
        asInt: String(value(counted, variant)),
      })),
    );
  const failed = ({ failed: some }: Counted, variant: "stable" | "canary"): number => (variant === "canary" ? some : 0);
  const sum = (dataPoints: readonly object[]): object => ({ dataPoints, aggregationTemporality: 2, isMonotonic: true });
  const metrics = [
    { name: METRICS.decisions, sum: sum(both((counted, variant) => counted[variant], attribute(LABELS.reason, "share"))) },
    {
      name: METRICS.outcomes,
      sum: sum([
        ...both((counted, variant) => counted[variant] - failed(counted, variant), attribute(LABELS.class, "ok")),
        ...both(failed, attribute(LABELS.class, "failed")),
      ]),
    },
    { name: METRICS.settled, sum: sum(both((counted, variant) => counted[variant])) },
  ];
  const resource = { attributes: [attribute(RESOURCE.instance, "any"), { key: RESOURCE.sequence, value: { intValue: sequence } }] };
  return { resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] };
}
