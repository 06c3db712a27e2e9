import { lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { UsageError } from "../contract/errors.ts";

/** A bound gRPC server. */
export interface BoundServer {
  /** Port that the system chose; undefined on a Unix socket. */
  readonly port: number | undefined;
  /** Waits for streams to end until the deadline, then ends them. */
  stop(deadlineMs: number): Promise<void>;
}

/** A server without services yet, with the reset limits raised where Node has them. */
export function createGrpcServer(): Server {
  const server = new Server({ "grpc.max_concurrent_streams": 100_000 });
  // Node >= 22.11 takes these (nodejs/node#56306); grpc-js has no option that hands them on. Envoy resets streams unless
  // told otherwise, and Node's default drops the connection after 1,000 resets plus 33 a second.
  const inner: { commonServerOptions?: Record<string, unknown> } = Object(server);
  if (inner.commonServerOptions !== undefined)
    Object.assign(inner.commonServerOptions, { streamResetBurst: 1_000_000, streamResetRate: 100_000 });
  return server;
}

/** Binds to `unix:PATH` or `HOST:PORT`. Throws UsageError when the address is taken or cannot be used. */
export async function bindGrpcServer(server: Server, address: string): Promise<BoundServer> {
  if (address.startsWith("unix:")) await clearStaleSocket(address.slice("unix:".length));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (cause, bound) =>
      cause === null ? resolve(bound) : reject(new UsageError(`cannot listen on ${address}: ${cause.message}`, { cause })),
    );
  });
  return {
    port: address.startsWith("unix:") ? undefined : port,
    async stop(deadlineMs) {
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, deadlineMs);
      });
      await Promise.race([new Promise<void>((resolve) => server.tryShutdown(() => resolve())), deadline]);
      clearTimeout(timer);
      server.forceShutdown();
    },
  };
}

/** A socket file outlives a killed process: it goes when nobody answers on it, and stays when somebody does. */
async function clearStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new UsageError(`${path} is there and is no socket; name another path`);
  const isAnswered = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
  if (isAnswered) throw new UsageError(`another process listens on ${path}; give each sidecar a socket of its own`);
  unlinkSync(path);
}
