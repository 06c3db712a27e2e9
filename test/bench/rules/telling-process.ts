import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Stops } from "../wire/bench.ts";

/** What the process that tells is told. */
export interface TellingTask {
  readonly rollouts: number;
  readonly natsUrl: string;
}

const ServesSchema = z.object({ url: z.string() });
const StallsSchema = z.object({ scrapeMs: z.number(), evidenceMs: z.number() });

const TASK_MS = 120_000;

/** The event loop's longest stall during a scrape, and during a round of evidence in which all has changed. */
export async function tellingStalls(task: TellingTask, stops: Stops): Promise<z.infer<typeof StallsSchema>> {
  const child = fork(fileURLToPath(new URL("../telling.ts", import.meta.url)), [], { execArgv: ["--import", "tsx"] });
  stops.push(() => child.kill("SIGKILL"));
  const next = async (): Promise<unknown> => (await once(child, "message", { signal: AbortSignal.timeout(TASK_MS) }))[0];
  child.send(task);
  const { url } = ServesSchema.parse(await next());
  await (await fetch(url)).text();
  child.send("scraped");
  return StallsSchema.parse(await next());
}
