import { createConnection } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { UsageError } from "../../../src/contract/errors.ts";
import { type HttpServer, startHttp } from "../../../src/io/http.ts";

async function started(isReady = true): Promise<HttpServer> {
  const server = await startHttp(
    { address: "127.0.0.1:0", what: "metrics", flag: "--metrics" },
    {
      metrics: (_request, response) => void response.end("up 1\n"),
      readiness: () => ({ isReady, body: { revision: 3 } }),
    },
  );
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

const at = (address: string) =>
  startHttp({ address, what: "metrics", flag: "--metrics" }, { metrics: () => undefined, readiness: () => ({ isReady: true, body: {} }) });

test("an address that is taken is the user's error, with the way to put it right", async () => {
  const { host } = new URL((await started()).url);
  await expect(at(host)).rejects.toThrow(new UsageError(`metrics address ${host} is in use; give another by --metrics`));
});

test("a port that there cannot be is the user's error", async () => {
  await expect(at("127.0.0.1:99999")).rejects.toThrow(UsageError);
});
