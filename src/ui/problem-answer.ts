/** An answer that is no success; its message is for people. */
export class ProblemAnswer extends Error {
  override readonly name = "ProblemAnswer";
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** Whether a command was answered for good, so that the next one is another; else it may have been carried out all the same. */
export const isFinal = (error: unknown): boolean => error instanceof ProblemAnswer && error.status < 500;
