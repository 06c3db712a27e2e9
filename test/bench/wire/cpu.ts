import { readFile } from "node:fs/promises";
import { runCommand } from "../../../src/demo/run-command.ts";

/** Reads the processor time that a process has used with all its threads, in seconds. */
export type CpuClock = (pid: number) => Promise<number>;

/** Makes the clock from /proc, which only Linux has. */
export async function createCpuClock(): Promise<CpuClock> {
  const { code, stdout } = await runCommand("getconf", ["CLK_TCK"], 5_000);
  const ticksPerS = code === 0 ? Number(stdout) : NaN;
  if (!(ticksPerS > 0)) throw new Error("getconf CLK_TCK tells no ticks per second; this benchmark needs Linux");
  return async (pid) => {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // Behind the name, which may hold anything: state is field 3, utime 14, stime 15 (man proc_pid_stat).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / ticksPerS;
  };
}
