import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { within } from "../../../src/io/time-limit.ts";

/** Ends with its signal alone. */
const forEver = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

test("a limit comes although memory is cleared before, and says its seconds", async () => {
  setFlagsFromString("--expose-gc");
  const clear: () => void = runInNewContext("gc");
  const limited = within(500, new AbortController().signal, forEver);
  setTimeout(clear, 10);
  await expect(limited).rejects.toThrow("no answer within 0.5 s");
});

test("work ends with the signal, for the signal's reason; what is over before does not begin", async () => {
  const stopping = new AbortController();
  const limited = within(60_000, stopping.signal, forEver);
  stopping.abort(new Error("the controller stops"));
  await expect(limited).rejects.toThrow("the controller stops");
  await expect(within(60_000, stopping.signal, () => Promise.reject(new Error("began")))).rejects.toThrow("the controller stops");
});

test("work that is done is not ended after", async () => {
  let given: AbortSignal | undefined;
  const stopping = new AbortController();
  const work = (signal: AbortSignal): Promise<string> => {
    given = signal;
    return Promise.resolve("done");
  };
  expect(await within(60_000, stopping.signal, work)).toBe("done");
  stopping.abort();
  expect(given?.aborted).toBe(false);
});
