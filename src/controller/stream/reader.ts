import type { ServerResponse } from "node:http";
import type { StreamEvent } from "../../contract/stream.ts";
import type { Feed } from "./feed.ts";

/** A sign of life, so that both sides and what is between them know that the connection lives. */
const BEAT_MS = 5_000;
/** A reader that takes nothing for so long is let go. */
const STUCK_MS = 15_000;

interface ReaderParts {
  readonly feed: Feed;
  readonly hello: Extract<StreamEvent, { type: "hello" }>;
  /** Asked at each beat: whether the token still counts. */
  mayGoOn(): Promise<boolean>;
  readonly beatMs?: number;
  readonly stuckMs?: number;
}

/** Sends events until the reader goes, takes nothing any more, or may no longer look. What waits for it is a set of names, never text. */
export function sendEvents(response: ServerResponse, { feed, hello, mayGoOn, beatMs = BEAT_MS, stuckMs = STUCK_MS }: ReaderParts): void {
  // Gone while it was asked who it is: nothing would tell that it went.
  if (response.destroyed) return;
  const waiting = new Set<string>();
  let stuck: NodeJS.Timeout | undefined;
  const letGo = (): void => {
    stuck ??= setTimeout(() => response.destroy(), stuckMs);
  };
  const write = (text: string): void => {
    if (!response.write(text)) letGo();
  };
  const send = (): void => {
    for (const key of waiting) {
      if (stuck !== undefined) return;
      waiting.delete(key);
      write(feed.text(key) ?? "");
    }
  };
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-accel-buffering": "no",
  });
  write(`event: hello\ndata: ${JSON.stringify(hello)}\n\n`);
  const leave = feed.join((key) => {
    waiting.add(key);
    send();
  });
  const beat = setInterval(() => {
    if (stuck === undefined) write(": beat\n\n");
    void mayGoOn().then((may) => (may ? undefined : end()));
  }, beatMs);
  const stop = (): void => {
    clearInterval(beat);
    leave();
  };
  const end = (): void => {
    stop();
    waiting.clear();
    response.end();
    letGo();
  };
  response.on("drain", () => {
    if (response.writableEnded) return;
    clearTimeout(stuck);
    stuck = undefined;
    send();
  });
  response.on("close", () => {
    stop();
    clearTimeout(stuck);
  });
  // A reader that breaks off closes too.
  response.on("error", () => undefined);
}
