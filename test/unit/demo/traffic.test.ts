import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { type SeenRequest, sendRequest, startTraffic } from "../../../src/demo/traffic.ts";
import { startUpstream } from "../../../src/demo/upstreams.ts";
import { waitFor } from "../../../src/demo/wait-for.ts";

const portOf = (address: string): number => Number(address.split(":").at(-1));
const toward = (port: number, host = "shop.example") => ({ port, host, path: "/", user: "user-1" });

async function upstream(variant: "stable" | "canary") {
  const started = await startUpstream(variant);
  onTestFinished(started.stop);
  return started;
}

describe("a request", () => {
  test("tells what the upstream says of itself", async () => {
    const canary = await upstream("canary");
    expect(await sendRequest(toward(portOf(canary.address)))).toMatchObject({ user: "user-1", status: 200, seen: "canary" });
    expect(canary.lastHeaders()).toMatchObject({ host: "shop.example", "x-user-id": "user-1" });
  });

  test("without an answer has status 0 and saw nothing", async () => {
    const gone = await startUpstream("stable");
    await gone.stop();
    expect(await sendRequest(toward(portOf(gone.address)))).toMatchObject({ status: 0, seen: undefined });
  });

  test("that breaks off in mid-answer has status 0", async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write('{"variant":"canary"', () => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo; // it listens on TCP
    expect(await sendRequest(toward(port))).toMatchObject({ status: 0, seen: undefined });
  });
});

describe("an upstream", () => {
  test("fails the part of its requests that it is told to, and knows the first and the last", async () => {
    const canary = await upstream("canary");
    const port = portOf(canary.address);
    await sendRequest(toward(port));
    expect(canary.seen).toMatchObject({ requests: 1, failed: 0, firstFailureMs: undefined });
    canary.failPart(1);
    expect(await sendRequest(toward(port))).toMatchObject({ status: 503, seen: "canary" });
    canary.failPart(0);
    await sendRequest(toward(port));
    const { firstFailureMs = Number.NaN, lastRequestMs = Number.NaN } = canary.seen;
    expect(canary.seen).toMatchObject({ requests: 3, failed: 1 });
    expect(lastRequestMs).toBeGreaterThan(firstFailureMs);
    canary.reset();
    expect(canary.seen).toMatchObject({ requests: 0, failed: 0, firstFailureMs: undefined, lastRequestMs: undefined });
  });
});

describe("traffic", () => {
  test("comes from all its users in turn, and goes where it is told", async () => {
    const stable = await upstream("stable");
    const seen: SeenRequest[] = [];
    const port = portOf(stable.address);
    const traffic = startTraffic({
      port,
      host: "a.example",
      path: "/",
      users: 5,
      perSecond: 200,
      onRequest: (request) => seen.push(request),
    });
    await waitFor(() => seen.length >= 5, { deadlineMs: 10_000, what: "five answers" });
    traffic.setHost("b.example");
    await waitFor(() => seen.at(-1)?.host === "b.example", { deadlineMs: 10_000, what: "the other host" });
    await traffic.stop();
    // Answers need not come in the order of their requests.
    const counts = Array.from({ length: 5 }, (_, index) => seen.filter(({ user }) => user === `user-${index}`).length);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(seen.length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(seen.every((request) => request.seen === "stable")).toBe(true);
  });

  test("stops with every answer in", async () => {
    const stable = await upstream("stable");
    let answers = 0;
    const traffic = startTraffic({
      port: portOf(stable.address),
      host: "a.example",
      path: "/",
      users: 50,
      perSecond: 500,
      onRequest: () => {
        answers += 1;
      },
    });
    await waitFor(() => answers > 20, { deadlineMs: 10_000, what: "twenty answers" });
    await traffic.stop();
    expect(answers).toBe(stable.seen.requests);
  });
});
