import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as an upstream got it. */
export interface EchoedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What it answers, as JSON. */
export interface Echo extends EchoedRequest {
  readonly answeredBy: string;
}

export interface EchoUpstream {
  readonly address: string;
  /** Oldest first. */
  readonly seen: readonly EchoedRequest[];
  stop(): Promise<void>;
}

/** Tells each client what it got; paths below `/fail` get 503 from the one named after them, like `/fail/canary`. */
export async function startEchoUpstream(name: string): Promise<EchoUpstream> {
  const seen: EchoedRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url: path = "", headers } = request;
      const got = { method, path, headers, body: Buffer.concat(chunks).toString("utf8") };
      seen.push(got);
      response.writeHead(path === `/fail/${name}` ? 503 : 200).end(JSON.stringify({ answeredBy: name, ...got }));
    });
  });
  server.keepAliveTimeout = 0;
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    // A server that listens on TCP has an AddressInfo.
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async stop() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}
