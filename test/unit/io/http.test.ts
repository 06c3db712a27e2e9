import { createConnection } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { type HttpServer, startHttp } from "../../../src/io/http.ts";

async function started(isReady = true): Promise<HttpServer> {
  const server = await startHttp("127.0.0.1:0", {
    metrics: (_request, response) => void response.end("up 1\n"),
    readiness: () => ({ isReady, body: { revision: 3 } }),
  });
  onTestFinished(() => server.stop());
  return server;
}

/** The status line that a raw request line gets: clients of HTTP libraries cannot send them all. */
const statusOf = (url: string, target: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = createConnection(Number(new URL(url).port), "127.0.0.1", () =>
      socket.write(`GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
    );
    socket.on("error", reject);
    socket.on("data", (data) => resolve(data.toString().split("\r\n")[0] ?? ""));
  });

test.each([
  ["/metrics", 200],
  ["/metrics?name=a", 200],
  ["/healthz", 200],
  ["/readyz", 200],
  ["/", 404],
  ["//", 404],
  ["///metrics", 404],
  ["http://", 404],
  ["/metrics/", 404],
  ["/%", 404],
])("a request of %s is answered with %d, and the server goes on", async (target, status) => {
  const { url } = await started();
  expect(await statusOf(url, target)).toContain(` ${status} `);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test("who is not ready says so with 503, and is alive", async () => {
  const { url } = await started(false);
  const ready = await fetch(`${url}/readyz`);
  expect([ready.status, await ready.json(), (await fetch(`${url}/healthz`)).status]).toEqual([503, { revision: 3 }, 200]);
});

test("an address that is taken is an error of the start", async () => {
  const { url } = await started();
  const again = startHttp(new URL(url).host, { metrics: () => undefined, readiness: () => ({ isReady: true, body: {} }) });
  await expect(again).rejects.toThrow("EADDRINUSE");
});
