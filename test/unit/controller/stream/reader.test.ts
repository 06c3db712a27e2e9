import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sendEvents } from "../../../../src/controller/stream/reader.ts";
import { waitFor } from "../../../../src/demo/wait-for.ts";

const hello = { type: "hello", name: "ann", role: "view", nowMs: 0 } as unknown as Parameters<typeof sendEvents>[1]["hello"];
const soon = { deadlineMs: 10_000, what: "the reader to be let go" };

/** A feed that counts its readers, and can tell them. */
function createFeed() {
  const readers = new Set<(key: string) => void>();
  return {
    readers,
    tell: (key: string) => readers.forEach((onNews) => onNews(key)),
    feed: {
      text: (key: string) => `data: ${key}\n\n`,
      join(onNews: (key: string) => void) {
        readers.add(onNews);
        return () => void readers.delete(onNews);
      },
    } as unknown as Parameters<typeof sendEvents>[1]["feed"],
  };
}

describe("a reader of events", () => {
  const server = createServer();
  beforeEach(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(async () => {
    server.removeAllListeners("request");
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  const asked = async (): Promise<{ response: ServerResponse; client: ReturnType<typeof request> }> => {
    // A server in TCP has an AddressInfo.
    const { port } = server.address() as AddressInfo;
    const arrived = once(server, "request") as Promise<[IncomingMessage, ServerResponse]>;
    const client = request({ host: "127.0.0.1", port }).on("error", () => undefined);
    client.end();
    const [, response] = await arrived;
    return { response, client };
  };

  test("that went before it was answered is never joined", async () => {
    const { feed, readers } = createFeed();
    const { response, client } = await asked();
    const closed = once(response, "close");
    client.destroy();
    await closed;
    sendEvents(response, { feed, hello, mayGoOn: () => Promise.resolve(true) });
    expect(readers.size).toBe(0);
  });

  test("that goes is let go", async () => {
    const { feed, readers } = createFeed();
    const { response, client } = await asked();
    sendEvents(response, { feed, hello, mayGoOn: () => Promise.resolve(true) });
    expect(readers.size).toBe(1);
    client.destroy();
    await waitFor(() => readers.size === 0 || undefined, soon);
  });

  test("that may no longer look hears nothing more, and its connection ends though it reads nothing", async () => {
    const { feed, readers, tell } = createFeed();
    const { response } = await asked();
    const closed = once(response, "close");
    sendEvents(response, { feed, hello, mayGoOn: () => Promise.resolve(false), beatMs: 5, stuckMs: 20 });
    for (let index = 0; index < 10; index += 1) tell("x".repeat(1_000_000));
    await waitFor(() => readers.size === 0 || undefined, soon);
    tell("late");
    await closed;
    expect(response.writableEnded).toBe(true);
  });
});
