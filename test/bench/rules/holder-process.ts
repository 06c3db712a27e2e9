import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Stops } from "../wire/bench.ts";

/** Where the holder has its rules from. */
export type HolderSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "nats"; readonly url: string; readonly stateDir: string };

/** What the holder is told: to read the rules for the first time, or to wait for a change. */
export interface HolderTask {
  readonly source?: HolderSource;
  /** The revision that ends it. */
  readonly revision: number;
}

const MeasuredSchema = z.object({ revision: z.number(), longestStallMs: z.number(), tookMs: z.number() });
const ReadySchema = z.object({ isReady: z.literal(true) });

/** How rules came into force: the event loop's longest stall, and the time from the change to the swap. */
export type Measured = z.infer<typeof MeasuredSchema>;

/** A process that holds rules as a sidecar does. */
export interface Holder {
  readonly first: Measured;
  /** Measures one change, which `change` makes. */
  measure(revision: number, change: () => Promise<void>): Promise<Measured>;
}

const TASK_MS = 60_000;

/** Starts a holder and lets it read the rules for the first time. */
export async function startHolder(source: HolderSource, revision: number, stops: Stops): Promise<Holder> {
  const child = fork(fileURLToPath(new URL("../rules-holder.ts", import.meta.url)), [], { execArgv: ["--import", "tsx"] });
  stops.push(() => child.kill("SIGKILL"));
  const next = async <Message>(schema: z.ZodType<Message>): Promise<Message> => {
    const given = new AbortController();
    const signal = AbortSignal.any([given.signal, AbortSignal.timeout(TASK_MS)]);
    const ended = once(child, "exit", { signal }).then(() => Promise.reject(new Error("the process that holds the rules has ended")));
    try {
      const [message] = await Promise.race([once(child, "message", { signal }), ended]);
      return schema.parse(message);
    } finally {
      // Ends the wait for the other one, whose end is then no news.
      ended.catch(() => undefined);
      given.abort();
    }
  };
  const ask = (task: HolderTask): void => void child.send(task);
  ask({ source, revision });
  const first = await next(MeasuredSchema);
  return {
    first,
    async measure(nextRevision, change) {
      ask({ revision: nextRevision });
      await next(ReadySchema);
      const measured = next(MeasuredSchema);
      await change();
      return measured;
    },
  };
}
