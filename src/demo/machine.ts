import { cpus } from "node:os";

/** Share of all cores that was busy since the last call, 0…100. */
export function createCpuMeter(): () => number {
  const read = (): { idle: number; all: number } => {
    const times = cpus().map((cpu) => cpu.times);
    const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
    return { idle: times.reduce((sum, { idle }) => sum + idle, 0), all };
  };
  let before = read();
  return () => {
    const now = read();
    const all = now.all - before.all;
    const busy = all === 0 ? 0 : 100 * (1 - (now.idle - before.idle) / all);
    before = now;
    return busy;
  };
}
