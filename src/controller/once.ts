import type { Mailbox } from "./mailbox.ts";

/** Work that is due once, however often it is asked for meanwhile. */
export class Once {
  readonly #mailbox: Pick<Mailbox, "postLater">;
  readonly #waiting = new Set<string>();

  constructor(mailbox: Pick<Mailbox, "postLater">) {
    this.#mailbox = mailbox;
  }

  /** Runs after all messages that came in the same turn of the event loop. */
  thisTurn(what: string, then: () => void): void {
    this.#start(what, () => {
      then();
      this.#waiting.delete(what);
    });
  }

  /** The same, but not again before all jobs that it posts, for later too, are done. */
  untilDone(what: string, then: () => void): void {
    this.#start(what, () => {
      then();
      this.#mailbox.postLater(() => void this.#waiting.delete(what));
    });
  }

  #start(what: string, then: () => void): void {
    if (this.#waiting.has(what)) return;
    this.#waiting.add(what);
    setImmediate(then);
  }
}
