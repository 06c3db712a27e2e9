import { lstatSync, unlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { UsageError } from "../contract/errors.ts";
import { type ListeningPlace, listenOn } from "../io/listening.ts";
import { Connection, type ConnectionPorts } from "./h2/connection.ts";
import type { Header } from "./h2/hpack.ts";
import { type Method, STATUS } from "./h2/stream.ts";

/** A bound gRPC server. */
export interface BoundServer {
  /** Port that the system chose; undefined on a Unix socket. */
  readonly port: number | undefined;
  /** Asks clients for no more streams, waits for those at hand until the deadline, then ends them. */
  stop(deadlineMs: number): Promise<void>;
}

export interface ServerPorts {
  /** Something that should not happen did. */
  surprise(kind: string, error: unknown): void;
  /** No new streams come any more: those that clients keep open for ever are to be ended. */
  lastStreams(): void;
}

/** Methods by path, like `/grpc.health.v1.Health/Check`. */
export type Methods = ReadonlyMap<string, Method>;

/** Streams that were on their way when the client was asked for no more arrive within this time. */
const ON_THEIR_WAY_MS = 100;

/** Binds to `unix:PATH` or `HOST:PORT`. Throws UsageError when the address is taken or cannot be used. */
export async function bindGrpcServer(methods: Methods, place: ListeningPlace, ports: ServerPorts): Promise<BoundServer> {
  if (place.address.startsWith("unix:")) await clearStaleSocket(place.address.slice("unix:".length), place.flag);
  const connections = new Set<Connection>();
  const forServer: ConnectionPorts = {
    route: (headers) => routeTo(methods, headers),
    surprise: (error) => ports.surprise("stream", error),
    fault: (fault) => ports.surprise("connection", fault),
    closed: (connection) => void connections.delete(connection),
  };
  const server = createServer({ noDelay: true }, (socket) => connections.add(new Connection(socket, forServer)));
  await listenOn(server, place);
  const bound = server.address();
  return {
    port: bound === null || typeof bound === "string" ? undefined : bound.port,
    async stop(deadlineMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of connections) connection.drain();
      await delay(Math.min(ON_THEIR_WAY_MS, deadlineMs));
      for (const connection of connections) connection.finish();
      // The last words: Envoy closes the connection with its last stream, and writing to a closed one would cut off what it has sent.
      ports.lastStreams();
      const tooLong = new AbortController();
      const deadline = delay(deadlineMs, undefined, { signal: tooLong.signal }).catch(() => undefined);
      await Promise.race([closed, deadline]);
      tooLong.abort();
      for (const connection of connections) connection.close();
      await closed;
    },
  };
}

function routeTo(methods: Methods, headers: readonly Header[]): Method {
  const valueOf = (name: string): string => headers.find(([found]) => found === name)?.[1] ?? "";
  if (!valueOf("content-type").startsWith("application/grpc")) return refuse(STATUS.internal, "this server speaks gRPC only");
  return methods.get(valueOf(":path")) ?? refuse(STATUS.unimplemented, "there is no such method");
}

const refuse =
  (status: number, text: string): Method =>
  (call) => ({ message: () => call.end(status, text), halfClosed: () => call.end(status, text), closed: () => undefined });

/** A socket file outlives a killed process: it goes when nobody answers on it, and stays when somebody does. */
async function clearStaleSocket(path: string, flag: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new UsageError(`${path} is there and is no socket; give another path by ${flag}`);
  const isAnswered = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
  if (isAnswered) throw new UsageError(`another process listens on ${path}; give each sidecar a socket of its own by ${flag}`);
  unlinkSync(path);
}
