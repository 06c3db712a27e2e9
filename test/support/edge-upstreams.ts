import { once } from "node:events";
import { createServer as createHttpServer, type OutgoingHttpHeaders } from "node:http";
import { constants, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";

export type Variant = "stable" | "canary";

/** An upstream that does what the path says, like `/fail/canary`: the part after the second slash names who does it, or `both`. */
export interface EdgeUpstream {
  readonly address: string;
  /** Tries that reached it, like `GET /ok`, oldest first. */
  readonly tries: readonly string[];
  /** Names of all request headers that reached it; by HTTP/1.1 only. */
  readonly headerNames?: ReadonlySet<string>;
  stop(): Promise<void>;
}

interface Asked {
  readonly method: string;
  readonly path: string;
}

type Behaviour = "ok" | "fail" | "hang" | "reset" | "late";

/** What this upstream does with a path. */
function behaviourOf(path: string, name: Variant): Behaviour {
  const [, behaviour = "", who = ""] = path.split("/");
  const isMeant = who === name || who === "both";
  switch (isMeant ? behaviour : "ok") {
    case "fail":
    case "hang":
    case "reset":
    case "late":
      return behaviour as Behaviour; // one of the four cases
    default:
      return "ok";
  }
}

/** How long a good answer takes where the path ends in `/slowly`: so long that many are under way at a time. */
const SLOW_MS = 500;

/** How long the first byte of a `late` answer takes: longer than `per_try_timeout`, and not much. */
const LATE_MS = 6_000;

interface Answering {
  answer(statusCode: number): void;
  reset(): void;
}

function behave(asked: Asked, name: Variant, tries: string[], { answer, reset }: Answering): void {
  tries.push(`${asked.method} ${asked.path}`);
  switch (behaviourOf(asked.path, name)) {
    case "ok":
      return asked.path.endsWith("/slowly") ? void setTimeout(() => answer(200), SLOW_MS).unref() : answer(200);
    case "fail":
      return answer(503);
    case "reset":
      return reset();
    case "late":
      return void setTimeout(() => answer(200), LATE_MS).unref();
    case "hang":
  }
}

/** By HTTP/1.1, with headers of its own in each answer, and with WebSockets that echo: `bye` from the client makes the server close first, as RFC 6455 wants it. */
export async function startHttp1Upstream(name: Variant, own: OutgoingHttpHeaders = {}): Promise<EdgeUpstream> {
  const tries: string[] = [];
  const headerNames = new Set<string>();
  const sockets = new Set<Socket>();
  const server = createHttpServer(({ method = "", url: path = "", headers }, response) => {
    for (const header of Object.keys(headers)) headerNames.add(header);
    behave({ method, path }, name, tries, {
      answer: (code) => response.writeHead(code, { ...own, "x-answered-by": name }).end(name),
      reset: () => response.destroy(),
    });
  });
  server.on("upgrade", ({ url: path = "" }, socket: Socket) => {
    const head = (line: string, fields = ""): string => `HTTP/1.1 ${line}\r\nx-answered-by: ${name}\r\n${fields}\r\n`;
    behave({ method: "WebSocket", path }, name, tries, {
      answer: (code) => {
        if (code !== 200) return void socket.end(head("503 Service Unavailable", "content-length: 0\r\n"));
        socket.write(head("101 Switching Protocols", "upgrade: websocket\r\nconnection: Upgrade\r\n"));
        socket.on("data", (data) => (String(data) === "bye" ? socket.end("bye") : socket.write(data)));
      },
      reset: () => socket.destroy(),
    });
    // The other side may reset; the test sees that elsewhere.
    socket.on("error", () => socket.destroy());
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.keepAliveTimeout = 0;
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    address: addressOf(server),
    tries,
    headerNames,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), "close");
    },
  };
}

/** By HTTP/2 without TLS. */
export async function startHttp2Upstream(name: Variant): Promise<EdgeUpstream> {
  const tries: string[] = [];
  const server = createHttp2Server();
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream, headers) => {
    stream.on("error", () => stream.close());
    behave({ method: String(headers[":method"]), path: String(headers[":path"]) }, name, tries, {
      answer: (code) => {
        stream.respond({ ":status": code, "x-answered-by": name });
        stream.end(name);
      },
      reset: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    address: addressOf(server),
    tries,
    async stop() {
      for (const session of sessions) session.destroy();
      await once(server.close(), "close");
    },
  };
}

type Unary = (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => void;

const asIs = (bytes: Buffer): Buffer => bytes;

/** gRPC methods `/edge/Ok`, `/edge/Fail` (status in trailers), `/edge/Refuse` (status in place of an answer), `/edge/Hang`. */
export async function startGrpcUpstream(name: Variant): Promise<EdgeUpstream> {
  const tries: string[] = [];
  const server = new Server();
  const unavailable = { code: status.UNAVAILABLE, details: "out of order" };
  const unary = (path: string, bad: Unary): { path: string; handler: Unary } => ({
    path,
    handler: (call, callback) => {
      tries.push(`POST ${path}`);
      if (!["both", name].includes(String(call.request))) callback(null, Buffer.from(name));
      else bad(call, callback);
    },
  });
  const methods = [
    unary("/edge/Ok", (_call, callback) => callback(null, Buffer.from(name))),
    unary("/edge/Refuse", (_call, callback) => callback(unavailable)),
    unary("/edge/Fail", (call, callback) => {
      call.sendMetadata(new Metadata());
      callback(unavailable);
    }),
    unary("/edge/Hang", () => undefined),
  ];
  const coding = { requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs };
  server.addService(
    Object.fromEntries(methods.map(({ path }) => [path, { path, requestStream: false, responseStream: false, ...coding }])),
    Object.fromEntries(methods.map(({ path, handler }) => [path, handler])),
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, tries, stop: async () => server.forceShutdown() };
}

/** Where a connection is refused: nobody listens on TCP port 1. */
export const REFUSING = "127.0.0.1:1";

// A server that listens on TCP has an AddressInfo.
const addressOf = (server: { address(): unknown }): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;
