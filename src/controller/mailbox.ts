type Job = () => Promise<void> | void;

/** After so many others one of those for later has its turn: however much comes in, no deadline and no written step waits for ever. */
const TURNS = 32;

/** So long the jobs may keep the event loop from what comes in, in milliseconds. */
const TURN_MS = 5;

/** Jobs one after another, so that each sees the state that the one before it left; those that are posted for later give way to all others. */
export class Mailbox {
  readonly #onError: (error: unknown) => void;
  readonly #jobs: Job[] = [];
  readonly #later: Job[] = [];
  #running: Promise<void> | undefined;
  #isClosed = false;
  #turns = 0;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Queues a job; a throwing one goes to `onError` and the next one runs. */
  post(job: Job): void {
    this.#jobs.push(job);
    this.#running ??= this.#run();
  }

  /** Queues a job behind all that are not for later, also those that are posted after it. */
  postLater(job: Job): void {
    this.#later.push(job);
    this.#running ??= this.#run();
  }

  /** Drops the waiting jobs and waits for the running one. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    // Whoever posts goes on first.
    await Promise.resolve();
    let sinceMs = performance.now();
    for (let job = this.#next(); job !== undefined; job = this.#next()) {
      try {
        await job();
      } catch (error) {
        this.#onError(error);
      }
      if (performance.now() - sinceMs < TURN_MS) continue;
      await new Promise((resolve) => setImmediate(resolve));
      sinceMs = performance.now();
    }
    this.#running = undefined;
  }

  #next(): Job | undefined {
    if (this.#isClosed) return undefined;
    this.#turns += 1;
    const isLater = this.#jobs.length === 0 || this.#turns >= TURNS;
    if (!isLater || this.#later.length === 0) return this.#jobs.shift();
    this.#turns = 0;
    return this.#later.shift();
  }
}
