import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** One request as it came, and the way to answer it. */
export type Answering = (request: IncomingMessage & { text: string }, response: ServerResponse) => void;

/** A server that answers so until the test is over; its address. */
export async function serverThat(answers: Answering): Promise<string> {
  const server = createServer((request, response) => {
    void request.toArray().then((chunks) => answers(Object.assign(request, { text: Buffer.concat(chunks).toString() }), response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // It listens on TCP.
}
