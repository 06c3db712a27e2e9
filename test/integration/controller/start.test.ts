import { expect, onTestFinished, test } from "vitest";
import { startController } from "../../../src/controller/controller.ts";
import { systemClock } from "../../../src/io/clock.ts";
import { createLog, type Logger } from "../../../src/io/log.ts";
import { waitFor } from "./wait.ts";

/** Nobody listens there. */
const NOWHERE = "nats://127.0.0.1:1";

interface Starting {
  readonly running: ReturnType<typeof startController>;
  readonly url: string;
  readonly warned: readonly string[];
  stop(): void;
}

/** Starts a controller whose NATS is away. */
async function starting(): Promise<Starting> {
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const warned: string[] = [];
  let url: string | undefined;
  const log = {
    info: (fields: { http?: string }) => {
      url ??= fields.http;
    },
    warn: (_fields: object, text: string) => warned.push(text),
  };
  const options = { id: "a", nats: NOWHERE, http: "127.0.0.1:0" };
  // Only what a start says.
  const parts = { log: log as unknown as Logger, clock: systemClock, signal: stopping.signal };
  const running = startController(options, parts);
  running.catch(() => undefined);
  const found = await waitFor("the page", async () => url);
  return { running, url: found, warned, stop: () => stopping.abort() };
}

test("while NATS is away the controller is alive and says that it is not ready", async () => {
  const { url } = await starting();
  const [alive, ready, metrics] = await Promise.all(["healthz", "readyz", "metrics"].map((path) => fetch(`${url}/${path}`)));
  expect([alive?.status, ready?.status, metrics?.status]).toEqual([200, 503, 200]);
  expect(await ready?.json()).toEqual({ role: "starting", problem: "NATS does not answer yet" });
  expect(await metrics?.text()).toContain("serin_controller_leader 0");
});

test("the wait for NATS is said, and the signal to stop ends it with nothing left", async () => {
  const { running, url, warned, stop } = await starting();
  await expect.poll(() => warned, { timeout: 30_000 }).toEqual(["NATS does not answer; neither leading nor standing by, and trying on"]);
  stop();
  await expect(running).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
  await expect(fetch(`${url}/healthz`)).rejects.toThrow("fetch failed");
});

test.each([
  { title: "of checks that is not there", options: { checkSecrets: "/nope" }, says: "--check-secrets /nope: is not there; name a folder" },
  { title: "of notifications that is no folder", options: { notifySecrets: import.meta.filename }, says: "is no folder; name a folder" },
])("a folder of secrets $title ends the start", async ({ options, says }) => {
  const log = createLog({ name: "a", level: "silent" });
  const running = startController({ id: "a", nats: NOWHERE, ...options }, { log, clock: systemClock });
  await expect(running).rejects.toThrow(expect.objectContaining({ name: "UsageError", message: expect.stringContaining(says) }));
});

test("credentials for NATS that cannot be read end the start, and nothing is left open", async () => {
  const log = createLog({ name: "a", level: "silent" });
  const running = startController({ id: "a", nats: NOWHERE, natsCreds: "/nope", http: "127.0.0.1:0" }, { log, clock: systemClock });
  await expect(running).rejects.toThrow(
    expect.objectContaining({ name: "UsageError", message: expect.stringContaining("--nats-creds /nope") }),
  );
});
