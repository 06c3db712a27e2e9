import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** What becomes of one request; null while nobody answers it. */
export type Fate = Readonly<{ status: number; afterMs: number }> | null;

/** A version of the demo's service. */
export interface Upstream {
  /** `HOST:PORT`. */
  readonly address: string;
  /** Part of the requests that it answers with 503; 0 to begin with. */
  failPart(part: number): void;
  /** While it hangs it takes requests and answers none of them; false to begin with. */
  hang(isHanging: boolean): void;
  /** From now on this decides what becomes of each user's request, and neither of the above does. */
  decide(fateOf: (user: string) => Fate): void;
  /** From now on it says that it is this version; `1` to begin with. */
  deploy(version: string): void;
  /** Forgets what it has counted. */
  reset(): void;
  readonly seen: UpstreamCounts;
  /** Header lines of the last request. */
  lastHeaders(): Readonly<Record<string, string | string[] | undefined>>;
  stop(): Promise<void>;
}

/** Counted by the upstream itself; times in milliseconds of a clock that never goes back. */
export interface UpstreamCounts {
  requests: number;
  failed: number;
  firstFailureMs: number | undefined;
  lastRequestMs: number | undefined;
}

const nothing = (): UpstreamCounts => ({ requests: 0, failed: 0, firstFailureMs: undefined, lastRequestMs: undefined });

/** Starts an upstream that says in each answer its name, its version and, as Envoy counts them, the number of the try. */
export async function startUpstream(variant: "stable" | "canary"): Promise<Upstream> {
  let part = 0;
  let version = "1";
  let isHanging = false;
  let fateOf = (_user: string): Fate => (isHanging ? null : { status: Math.random() < part ? 503 : 200, afterMs: 0 });
  let counts = nothing();
  let headers: Readonly<Record<string, string | string[] | undefined>> = {};
  const server = createServer((request, response) => {
    counts.requests += 1;
    counts.lastRequestMs = performance.now();
    headers = request.headers;
    const fate = fateOf(String(request.headers["x-user-id"]));
    if (fate === null) return;
    if (fate.status !== 200) {
      counts.failed += 1;
      counts.firstFailureMs ??= performance.now();
    }
    const answer = (): void => {
      response.writeHead(fate.status, { "content-type": "application/json" });
      response.end(`{"variant":"${variant}","attempt":${Number(request.headers["x-envoy-attempt-count"] ?? 1)},"version":"${version}"}`);
    };
    if (fate.afterMs === 0) answer();
    else setTimeout(answer, fate.afterMs);
  });
  // Envoy keeps its connections; a server that closes idle ones would race with a request on its way.
  server.keepAliveTimeout = 0;
  const port = await listen(server);
  return {
    address: `127.0.0.1:${port}`,
    failPart: (next) => {
      part = next;
    },
    hang: (next) => {
      isHanging = next;
    },
    decide: (next) => {
      fateOf = next;
    },
    deploy: (next) => {
      version = next;
    },
    reset: () => {
      counts = nothing();
    },
    get seen() {
      return counts;
    },
    lastHeaders: () => headers,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // A server that listens on TCP has an AddressInfo.
  return (server.address() as AddressInfo).port;
}
