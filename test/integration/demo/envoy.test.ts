import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, inject, onTestFinished, test } from "vitest";
import { shippedEnvoyConfig } from "../../../src/demo/envoy.ts";
import { runCommand } from "../../../src/demo/run-command.ts";
import { FAILED_OPEN_STAT, type RunningEnvoy, startEnvoy } from "../../support/envoy.ts";

interface Seen {
  readonly variant: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** An upstream that answers with what it saw. */
async function startUpstream(variant: string): Promise<string> {
  const server = createServer((request, response) => {
    response.end(JSON.stringify({ variant, path: request.url, headers: request.headers }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    await once(server.close(), "close");
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`; // `as`: a TCP server's address is never a string
}

/** Envoy between two upstreams, with sidecars that are not there. */
async function startAlone(): Promise<RunningEnvoy> {
  const [stable, canary] = await Promise.all([startUpstream("stable"), startUpstream("canary")]);
  const envoy = await startEnvoy({ stable, canary, sidecars: ["unix:/nowhere/serin-0.sock", "unix:/nowhere/serin-1.sock"] });
  onTestFinished(async () => void (await envoy.stop()));
  return envoy;
}

/** One request with its path as written, which `fetch` would normalise. */
async function get(envoy: RunningEnvoy, path: string, headers: Record<string, string | string[]> = {}): Promise<Seen> {
  const request = httpRequest({ port: envoy.port, host: "127.0.0.1", path, headers, agent: false }).end();
  const [response] = await once(request, "response");
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return JSON.parse(body);
}

test("Envoy accepts the shipped configuration as it stands", async () => {
  const { code, stderr } = await runCommand(inject("envoyProgram"), ["--mode", "validate", "--config-path", shippedEnvoyConfig()], 20_000);
  const complaints = stderr.split("\n").filter((line) => /\[(warning|error|critical)\]/.test(line));
  // Envoy 1.40 calls this field deprecated, and reads interval, size and retries of the logger nowhere else.
  expect(complaints).toEqual([expect.stringContaining("OpenTelemetryAccessLogConfig.common_config")]);
  expect(code).toBe(0);
});

test("without a sidecar every request goes to stable, and is counted as failed open", async () => {
  const envoy = await startAlone();
  for (let count = 0; count < 5; count += 1) expect((await get(envoy, "/")).variant).toBe("stable");
  expect(await envoy.stat(FAILED_OPEN_STAT)).toBe(5);
});

test("a client's own x-serin headers choose nothing and reach no upstream", async () => {
  const envoy = await startAlone();
  const forged = { "x-serin-variant": "canary", "X-Serin-Rollout": ["a", "b"], "x-user-id": "alice" };
  const seen = await get(envoy, "/", forged);
  expect(seen.variant).toBe("stable");
  expect(Object.keys(seen.headers).filter((name) => name.startsWith("x-serin-"))).toEqual([]);
  expect(seen.headers["x-user-id"]).toBe("alice");
});

test("a path with dots reaches sidecar and upstream as the path that it means", async () => {
  const envoy = await startAlone();
  expect((await get(envoy, "/public/../checkout")).path).toBe("/checkout");
});

test("an Envoy that cannot start says why", async () => {
  const broken = startEnvoy({ stable: "127.0.0.1:0", canary: "nowhere:1", sidecars: [] });
  await expect(broken).rejects.toThrow(/envoy did not become ready(.|\n)*malformed IP address: nowhere/);
});
