/** A process of `npm run bench:judging`: plays the seeds that it is told to, and answers how they went. */
import process from "node:process";
import { findPolicy } from "./suite/policies.ts";
import { playSeed, type Run } from "./suite/run.ts";
import { readSuite } from "./suite/scenario.ts";
import { type Task, TaskSchema } from "./suite/work.ts";
import { stageOf } from "./suite/world.ts";

async function answer({ suiteFile, scenario, firstSeed, seeds, policies }: Task): Promise<Run[][]> {
  const suite = await readSuite(suiteFile);
  const own = suite.scenarios.find(({ id }) => id === scenario);
  if (own === undefined) throw new Error(`${suiteFile}: no scenario ${scenario}`);
  const stage = stageOf(suite, own);
  const factories = await Promise.all(policies.map(findPolicy));
  return Array.from({ length: seeds }, (_, index) => playSeed(stage, firstSeed + index, factories));
}

process.on("message", (message) => {
  answer(TaskSchema.parse(message)).then(
    (runs) => process.send?.(runs),
    (error: unknown) => {
      process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
      process.exit(1);
    },
  );
});
process.on("disconnect", () => process.exit(0));
