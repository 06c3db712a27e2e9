import type { StreamEvent } from "../contract/stream.ts";
import { eventReader } from "./event-text.ts";

/** Signs of life come every 5 s. */
const SILENT_MS = 12_000;
const AGAIN_MS = { least: 500, most: 10_000 };

interface OnStream {
  event(event: StreamEvent): void;
  /** Undefined while it comes; else why it does not, for people. */
  trouble(text: string | undefined): void;
  /** The token is not taken; nothing is tried again. */
  refused(text: string): void;
}

/** Follows the stream of events, and comes back by itself after each interruption. Returns the way to stop. */
export function follow(token: string, on: OnStream): () => void {
  const stop = new AbortController();
  void (async () => {
    let waitMs = AGAIN_MS.least;
    while (!stop.signal.aborted) {
      try {
        const response = await open(token, stop.signal);
        if (response.status === 401 || response.status === 403) return on.refused(await detailOf(response));
        if (response.ok && response.body !== null) {
          await read(response.body, stop.signal, (event) => {
            waitMs = AGAIN_MS.least;
            on.trouble(undefined);
            on.event(event);
          });
        }
        throw new Error(response.ok ? "the connection ended" : await detailOf(response));
      } catch (error) {
        if (stop.signal.aborted) return;
        on.trouble(error instanceof Error ? error.message : String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs * (1 + Math.random() / 2)));
      waitMs = Math.min(AGAIN_MS.most, waitMs * 2);
    }
  })();
  return () => stop.abort();
}

/** Without the browser's own ways to ask for a password. */
const open = (token: string, signal: AbortSignal): Promise<Response> =>
  fetch("v1/events", { headers: { authorization: `Bearer ${token}` }, credentials: "omit", cache: "no-store", signal });

async function read(body: ReadableStream<Uint8Array>, signal: AbortSignal, onEvent: (event: StreamEvent) => void): Promise<void> {
  const stream = body.getReader();
  const decoder = new TextDecoder();
  // The contract says the form; what serves the page sends it.
  const events = eventReader((data) => onEvent(JSON.parse(data) as StreamEvent));
  const giveUp = (): void => void stream.cancel().catch(() => undefined); // It ends for whoever reads it, too.
  signal.addEventListener("abort", giveUp);
  let silent = setTimeout(giveUp, SILENT_MS);
  try {
    for (;;) {
      const { done, value } = await stream.read();
      if (done) return;
      clearTimeout(silent);
      silent = setTimeout(giveUp, SILENT_MS);
      events.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    clearTimeout(silent);
    signal.removeEventListener("abort", giveUp);
    giveUp();
  }
}

/** What a problem's answer says. */
export async function detailOf(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => undefined);
  const detail = typeof body === "object" && body !== null && "detail" in body ? body.detail : undefined;
  return typeof detail === "string" ? detail : `the controller answers ${response.status}`;
}
