import { cpus } from "node:os";

export interface CpuMeter {
  /** Share of all cores that was busy since the meter was made, 0…100. */
  sinceStart(): number;
  /** The same since the last call of this. */
  sinceLastMark(): number;
}

/** Measures how busy the whole machine is, with everything that runs on it. */
export function createCpuMeter(): CpuMeter {
  const start = readTimes();
  let mark = start;
  return {
    sinceStart: () => busyPercent(start, readTimes()),
    sinceLastMark() {
      const now = readTimes();
      const busy = busyPercent(mark, now);
      mark = now;
      return busy;
    },
  };
}

interface Times {
  readonly idle: number;
  readonly all: number;
}

function readTimes(): Times {
  const times = cpus().map((cpu) => cpu.times);
  return {
    idle: times.reduce((sum, { idle }) => sum + idle, 0),
    all: times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0),
  };
}

const busyPercent = (from: Times, to: Times): number => (to.all === from.all ? 0 : 100 * (1 - (to.idle - from.idle) / (to.all - from.all)));
