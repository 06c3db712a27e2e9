import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { countedBy, startEdgeForTest } from "../support/edge.ts";
import { LOGS_STAT } from "../support/envoy.ts";
import { startRawUpstream } from "../support/raw-load.ts";
import { http1 } from "../support/speakers.ts";

/** Statuses that no gRPC server sends, as bytes; a path asks for one by its place. */
const NONSENSE = ["\xff\xfe\xc3", "\xc3\xa9\xc3", "0\t14\t2", '"\\n0', "-", "%RESPONSE_CODE%", "1".repeat(8_000)];

async function startNonsense(): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (data) => {
      const status = NONSENSE[Number(/ \/ok\/(\d+)/.exec(data.toString("latin1"))?.[1])] ?? "0";
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\ngrpc-status: ${status}\r\nx-edge: canary\r\n\r\nok`, "latin1");
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  // A server that listens on TCP has an AddressInfo.
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("whatever an upstream writes as gRPC's status, its answers are counted, each once, and nothing else changes", async () => {
  const stable = await startRawUpstream("stable");
  const edge = await startEdgeForTest({ stable: stable.address, canary: await startNonsense() });
  const counted = await countedBy(edge, NONSENSE.length, async () => {
    for (const place of NONSENSE.keys()) await http1.ask({ port: edge.envoy.port, variant: "canary", what: `GET /ok/${place}` });
  });
  expect(counted).toEqual({ "canary ok": NONSENSE.length, "canary timed": NONSENSE.length });
  expect(await edge.envoy.stat(`${LOGS_STAT}.logs_dropped`)).toBe(0);
  await stable.stop();
});
