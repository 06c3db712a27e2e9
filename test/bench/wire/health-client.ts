import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

const PAUSE_MS = 2;

/** An empty message in gRPC's framing: uncompressed, of no bytes. */
const EMPTY_REQUEST = Buffer.alloc(5);

/** `status: SERVING` in gRPC's framing. */
const SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 1]);

/**
 * Asks gRPC health on a Unix socket until it is SERVING; tells when that was, by `performance.now`. Not by a gRPC library, because
 * those wait longer and longer after each refused connection.
 */
export async function firstServing(socketPath: string, deadlineMs: number): Promise<number> {
  const endMs = performance.now() + deadlineMs;
  while (performance.now() < endMs) {
    if (await isServing(socketPath)) return performance.now();
    await delay(PAUSE_MS);
  }
  throw new Error(`waited ${deadlineMs} ms for health to be SERVING`);
}

async function isServing(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath);
  const isOpen = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  if (!isOpen) return false;
  const session = connectHttp2("http://localhost", { createConnection: () => socket });
  try {
    return SERVING.equals(await check(session));
  } catch {
    // It closed the connection: not serving, so it is asked again.
    return false;
  } finally {
    session.destroy();
  }
}

async function check(session: ClientHttp2Session): Promise<Buffer> {
  const failed = new Promise<never>((_resolve, reject) => session.once("error", reject));
  const stream = session.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.end(EMPTY_REQUEST);
  return Promise.race([buffer(stream), failed]);
}
