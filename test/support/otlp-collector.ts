import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What a collector got by OTLP over HTTP. */
interface Received {
  /** Like `/v1/traces`. */
  readonly path: string;
  /** Bytes of the protobuf message as Latin-1, in which its texts and ids are found as they are. */
  readonly body: string;
}

/** A collector that keeps all that reaches it. */
export interface OtlpCollector {
  readonly url: string;
  readonly received: Received[];
  /** From now on nobody who sends is answered. */
  fallSilent(): void;
  stop(): Promise<void>;
}

/** Starts one on a free port. */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const received: Received[] = [];
  let isSilent = false;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ path: request.url ?? "", body: Buffer.concat(chunks).toString("latin1") });
      if (!isSilent) response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    // A server that listens on TCP has an AddressInfo.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    fallSilent() {
      isSilent = true;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
