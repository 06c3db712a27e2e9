/** Jobs one after another in order of arrival, so that each sees the state that the one before it left. */
export class Mailbox {
  readonly #onError: (error: unknown) => void;
  #tail: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Queues a job; a throwing one goes to `onError` and the next one runs. */
  post(job: () => Promise<void> | void): void {
    this.#tail = this.#tail.then(async () => {
      if (this.#isClosed) return;
      try {
        await job();
      } catch (error) {
        this.#onError(error);
      }
    });
  }

  /** Drops the waiting jobs and waits for the running one. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#tail;
  }
}
