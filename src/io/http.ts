import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type ListeningPlace, listenOn } from "./listening.ts";

/** Whether a program serves, and what it says of it. */
export interface Readiness {
  readonly isReady: boolean;
  readonly body: object;
}

type Route = (request: IncomingMessage, response: ServerResponse) => void;

/** So many connections are open at most, and so long may one take to say what it wants. */
const MAX_CONNECTIONS = 256;
const LIMITS = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 5_000 } as const;

/** What a program shows by HTTP. */
export interface HttpPorts {
  metrics(request: IncomingMessage, response: ServerResponse): void;
  /** Must not reject. */
  readiness(): Readiness | Promise<Readiness>;
  /** Other paths, like `/v1/feedback`. */
  readonly routes?: Readonly<Record<string, Route>>;
  /** All other paths that begin with `/v1/`. */
  readonly api?: Route | undefined;
}

export interface HttpServer {
  /** `http://host:port`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves /metrics, /healthz, /readyz and the routes on `HOST:PORT`. Throws UsageError when the address is taken or cannot be used. */
export async function startHttp(place: ListeningPlace, ports: HttpPorts): Promise<HttpServer> {
  const routes = new Map(Object.entries(ports.routes ?? {}));
  const server = createServer(LIMITS, (request, response) => {
    // Not by URL, which throws for paths like "//" that any client may send.
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    switch (path) {
      case "/metrics":
        return ports.metrics(request, response);
      case "/healthz":
        return send(response, 200, { status: "alive" });
      case "/readyz":
        return void sendReadiness(response, ports);
      default: {
        const route = routes.get(path) ?? (path.startsWith("/v1/") ? ports.api : undefined);
        if (route !== undefined) return route(request, response);
        return send(response, 404, { error: "not here; ask /metrics, /healthz or /readyz" });
      }
    }
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listenOn(server, place);
  // A server that listens on TCP has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${place.address.slice(0, place.address.lastIndexOf(":"))}:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function sendReadiness(response: ServerResponse, { readiness }: Pick<HttpPorts, "readiness">): Promise<void> {
  const { isReady, body } = await readiness();
  send(response, isReady ? 200 : 503, body);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}
