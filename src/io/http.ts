import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Whether a program serves, and what it says of it. */
export interface Readiness {
  readonly isReady: boolean;
  readonly body: object;
}

/** What a program shows by HTTP. */
export interface HttpPorts {
  metrics(request: IncomingMessage, response: ServerResponse): void;
  /** Must not reject. */
  readiness(): Readiness | Promise<Readiness>;
}

export interface HttpServer {
  /** `http://host:port`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves /metrics, /healthz and /readyz on `HOST:PORT`. Throws when the address cannot be used. */
export async function startHttp(address: string, ports: HttpPorts): Promise<HttpServer> {
  const server = createServer((request, response) => {
    // Not by URL, which throws for paths like "//" that any client may send.
    switch ((request.url ?? "").split("?", 1)[0] ?? "") {
      case "/metrics":
        return ports.metrics(request, response);
      case "/healthz":
        return send(response, 200, { status: "alive" });
      case "/readyz":
        return void sendReadiness(response, ports);
      default:
        return send(response, 404, { error: "not here; ask /metrics, /healthz or /readyz" });
    }
  });
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(Number(address.slice(colon + 1)), host, resolve);
  });
  // A server that listens on TCP has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
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
