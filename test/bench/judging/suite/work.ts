import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type Run, RunSchema } from "./run.ts";

/** Some seeds of one scenario, for one process. */
export const TaskSchema = z.strictObject({
  suiteFile: z.string(),
  scenario: z.string().describe("Its id."),
  firstSeed: z.int(),
  seeds: z.int().positive(),
  policies: z.array(z.string()),
});

export type Task = z.infer<typeof TaskSchema>;

/** By seed, then by judge. */
const AnswerSchema = z.array(z.array(RunSchema));

/** Does all tasks, each in one of so many processes; answers come in no order. The processes end with the last task. */
export async function inProcesses(tasks: readonly Task[], jobs: number, onDone: (task: Task, runs: Run[][]) => void): Promise<void> {
  const waiting = [...tasks];
  const work = async (): Promise<void> => {
    const child = fork(fileURLToPath(new URL("../worker.ts", import.meta.url)), [], { execArgv: ["--import", "tsx"] });
    const failed = once(child, "exit").then(([code]) => {
      throw new Error(`a process of the benchmark ended with ${String(code)}`);
    });
    try {
      for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
        child.send(task);
        const [answer]: unknown[] = await Promise.race([once(child, "message"), failed]);
        onDone(task, AnswerSchema.parse(answer));
      }
    } finally {
      failed.catch(() => undefined);
      child.kill();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, work));
}
