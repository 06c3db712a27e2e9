import process from "node:process";

/** Processor time, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Processor time of each turn of the event loop that did something. */
export class Turns {
  #beganMs = cpuMs();
  #isOn = true;
  /** Milliseconds. */
  readonly costs: number[] = [];

  constructor() {
    const look = (): void => {
      const nowMs = cpuMs();
      if (nowMs - this.#beganMs > 0.2) this.costs.push(nowMs - this.#beganMs);
      this.#beganMs = nowMs;
      if (this.#isOn) setImmediate(look);
    };
    setImmediate(look);
  }

  take(): number[] {
    return this.costs.splice(0);
  }

  stop(): void {
    this.#isOn = false;
  }
}
