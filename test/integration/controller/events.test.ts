import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, vi } from "vitest";
import { ExplanationSchema } from "../../../src/contract/explanation.ts";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { SeriesSchema, type StreamEvent, StreamEventSchema } from "../../../src/contract/stream.ts";
import type { Feed } from "../../../src/controller/stream/feed.ts";
import { sendEvents } from "../../../src/controller/stream/reader.ts";
import { digestOf, tokenLine } from "../../../src/io/tokens.ts";
import { eventReader } from "../../../src/ui/event-text.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { waitFor } from "./wait.ts";
import { test, type World } from "./world.ts";

const longStage: RolloutInput["strategy"] = { type: "canary", stages: [{ share: "20%", minTime: "1h", minSample: 50 }] };
const authorization = "Bearer serin_viewer";

interface Reading {
  readonly events: StreamEvent[];
  readonly raw: string[];
  /** The newest event of a rollout. */
  rollout(name: string): Extract<StreamEvent, { type: "rollout" }> | undefined;
  isOver(): boolean;
}

/** Reads a stream of events; each must be of the contract's form. */
async function read(url: string): Promise<Reading> {
  const events: StreamEvent[] = [];
  const raw: string[] = [];
  let isOver = false;
  const reader = eventReader((data) => events.push(StreamEventSchema.parse(JSON.parse(data))));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request(`${url}/v1/events`, { headers: { authorization } }, resolve);
    asked.on("error", reject);
    asked.end();
  });
  onTestFinished(() => void response.destroy());
  expect([response.statusCode, response.headers["content-type"]]).toEqual([200, "text/event-stream"]);
  response.setEncoding("utf8");
  response.on("data", (text: string) => {
    raw.push(text);
    reader.push(text);
  });
  response.on("close", () => {
    isOver = true;
  });
  const rollout: Reading["rollout"] = (name) =>
    events.flatMap((event) => (event.type === "rollout" && event.rollout.name === name ? [event] : [])).at(-1);
  return { events, raw, rollout, isOver: () => isOver };
}

/** A leader, and a standby that is asked. */
async function looked(world: World): Promise<{ url: string; file: string }> {
  const directory = await mkdtemp(join(tmpdir(), "serin-events-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, "tokens");
  await writeFile(file, `${tokenLine({ name: "viewer", role: "view", digest: digestOf("serin_viewer") })}\n`);
  await world.leader("a", { tokens: file });
  const standby = await world.controller("b", { options: { tokens: file, http: "127.0.0.1:0" } });
  return { url: standby.httpUrl ?? "", file };
}

describe("the stream of events of a standby", () => {
  test("begins with everything, and goes on with each change, its audit and its end", async ({ world }) => {
    const { url } = await looked(world);
    await world.sidecar("one");
    await world.apply(documentOf("cart", { strategy: longStage }));
    await world.phase("cart", "stage");
    const { events, rollout } = await read(url);
    await waitFor("the picture", () => events.some(({ type }) => type === "fleet") || undefined);
    expect(events[0]).toEqual({ type: "hello", name: "viewer", role: "view", controller: "b" });
    expect(rollout("cart")).toMatchObject({
      phase: expect.stringContaining("stage 1 of 1"),
      stages: [{ shareBp: 2_000, minTimeMs: 3_600_000 }],
    });
    expect(events.find(({ type }) => type === "mesh")).toMatchObject({ leader: { holder: "a" }, problem: null });
    await waitFor(
      "the sidecar",
      () =>
        events.some((event) => event.type === "fleet" && event.sidecars.some(({ id, state }) => id === "one" && state === "ok")) ||
        undefined,
    );
    await world.send("abort", { rollout: "cart", reason: "enough" });
    await waitFor("the rollback", () => rollout("cart")?.rollout.plan.phase === "rolledBack" || undefined);
    await waitFor("its audit", () => events.some((event) => event.type === "audit" && event.line.action === "rollback") || undefined);
    await world.send("freeze", { reason: "incident" });
    await waitFor("the freeze", () => events.some((event) => event.type === "mesh" && event.freeze?.includes("incident")) || undefined);
    await world.send("delete", { rollout: "cart" });
    await waitFor("its end", () => events.some((event) => event.type === "gone" && event.name === "cart") || undefined);
  });

  test("gives a second reader everything too, from memory", async ({ world }) => {
    const { url } = await looked(world);
    await world.apply(documentOf("cart", { strategy: longStage }));
    const first = await read(url);
    await waitFor("the first picture", () => first.rollout("cart"));
    await waitFor("the fleet", () => first.events.some(({ type }) => type === "fleet") || undefined);
    const second = await read(url);
    await waitFor("the second picture", () => (second.rollout("cart") && second.events.some(({ type }) => type === "fleet")) || undefined);
  });

  test("says that it is old while NATS is away", async ({ world }) => {
    const { url } = await looked(world);
    const { events } = await read(url);
    const last = () => events.findLast((event) => event.type === "mesh");
    await waitFor("a leader", () => last()?.leader?.holder === "a" || undefined);
    await world.server.stop();
    await waitFor("the trouble", () => last()?.problem?.includes("NATS does not answer") || undefined);
  });

  test("ends when its token is taken back", async ({ world }) => {
    const { url, file } = await looked(world);
    const { isOver, events } = await read(url);
    await waitFor("the picture", () => events.some(({ type }) => type === "mesh") || undefined);
    await writeFile(file, "");
    await waitFor("the end", () => isOver() || undefined);
  });

  test("is for 64 readers, and another one hears what to do", async ({ world }) => {
    const { url } = await looked(world);
    for (let index = 0; index < 64; index += 1) await read(url);
    const refused = await fetch(`${url}/v1/events`, { headers: { authorization } });
    expect([refused.status, refused.headers.get("retry-after"), await refused.text()]).toEqual([
      503,
      "5",
      expect.stringContaining("ask another controller"),
    ]);
  });
});

describe("what else a page asks", () => {
  test("is how the checks went, of the leader, and why a request goes where", async ({ world }) => {
    const { url } = await looked(world);
    await world.sidecar("one");
    await world.apply(documentOf("cart", { strategy: longStage }));
    const points = await waitFor("some points", async () => {
      const answer = await fetch(`${url}/v1/rollouts/cart/series`, { headers: { authorization } });
      const found = SeriesSchema.parse(await answer.json()).points;
      return found.length > 1 ? found : undefined;
    });
    expect(points[0]?.checks.map(({ name }) => name)).toContain("errors");
    const ask = (body: object) =>
      fetch(`${url}/v1/explain`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const explained = ExplanationSchema.parse(
      await (await ask({ host: "cart.example", path: "/", headers: { "X-User-Id": "ann" } })).json(),
    );
    expect(explained.decision).toMatchObject({ rollout: "cart", reason: "share" });
    expect(explained.steps.map(({ text }) => text).join("\n")).toContain("the bucketing key comes from header x-user-id");
    expect((await ask({ host: "cart.example" })).status).toBe(400);
  });
});

describe("a reader", () => {
  /** Serves one stream of events to a socket that asks and reads nothing unless it is told to. */
  async function served(feed: Pick<Feed, "join" | "text">, times: { beatMs: number; stuckMs: number }) {
    const server = createServer((_, response) => {
      response.on("close", closed);
      // A stand-in: all that a reader uses of it.
      sendEvents(response, {
        feed: feed as Feed,
        hello: { type: "hello", name: "ann", role: "view", controller: "a" },
        mayGoOn: async () => true,
        ...times,
      });
    });
    const closed = vi.fn<() => void>();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => server.close().closeAllConnections());
    const { port } = server.address() as AddressInfo; // Of a server on TCP.
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined); // Cut off by the server, as it is meant to be.
    onTestFinished(() => void socket.destroy());
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    return { socket, closed };
  }

  test("that takes nothing is let go, and owns nothing but names meanwhile", async () => {
    let news: (key: string) => void = () => undefined;
    const left = vi.fn<() => void>();
    const text = vi.fn<(key: string) => string>(() => "x".repeat(1_000_000));
    const { socket, closed } = await served({ join: (onNews) => ((news = onNews), left), text }, { beatMs: 60_000, stuckMs: 300 });
    socket.pause();
    await waitFor("the reader", () => (socket.bytesWritten > 0 && news.length === 1) || undefined);
    for (let index = 0; index < 1_000; index += 1) news(`rollout ${index % 10}`);
    await waitFor("the cut", () => closed.mock.calls.length > 0 || undefined);
    expect(text.mock.calls.length).toBeLessThan(60);
    expect(left).toHaveBeenCalledOnce();
  });

  test("that takes its time gets the newest of each, and signs of life", async () => {
    let news: (key: string) => void = () => undefined;
    let value = 0;
    const text = (key: string): string => `data: ${key} ${value}${" ".repeat(2_000_000)}\n\n`;
    const { socket } = await served({ join: (onNews) => ((news = onNews), () => undefined), text }, { beatMs: 20, stuckMs: 60_000 });
    let heard = "";
    socket.pause();
    await waitFor("the reader", () => (socket.bytesWritten > 0 && news.length === 1) || undefined);
    for (value = 1; value <= 500; value += 1) news("mesh");
    value = 500;
    socket.on("data", (data) => (heard += data.toString("latin1").replaceAll(/ +/g, " ")));
    socket.resume();
    await waitFor("the newest", () => heard.includes("mesh 500") || undefined);
    await waitFor("a sign of life", () => heard.includes(": beat") || undefined);
    expect(heard.match(/data: mesh/g)?.length).toBeLessThan(30);
  });
});
