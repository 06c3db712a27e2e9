import { once } from "node:events";
import { connect, type OutgoingHttpHeaders } from "node:http2";
import { createServer, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { Connection } from "../../../../src/sidecar/h2/connection.ts";
import { ConnectionFault } from "../../../../src/sidecar/h2/frames.ts";
import { encodeLiterals, type Header, HpackDecoder } from "../../../../src/sidecar/h2/hpack.ts";
import { randomOf } from "../../../support/random.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("a header block", () => {
  // RFC 7541, appendix C.4: three requests in a row, with Huffman codes and a table that grows.
  test("of the standard's examples reads as the standard says", () => {
    const decoder = new HpackDecoder();
    const common: Header[] = [
      [":method", "GET"],
      [":scheme", "http"],
      [":path", "/"],
      [":authority", "www.example.com"],
    ];
    expect(decoder.decode(hex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff"))).toEqual(common);
    expect(decoder.decode(hex("8286 84be 5886 a8eb 1064 9cbf"))).toEqual([...common, ["cache-control", "no-cache"]]);
    expect(decoder.decode(hex("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"))).toEqual([
      [":method", "GET"],
      [":scheme", "https"],
      [":path", "/index.html"],
      [":authority", "www.example.com"],
      ["custom-key", "custom-value"],
    ]);
  });

  test.each([
    { title: "an index beyond the table", block: "ff 80 01" },
    { title: "index 0", block: "80" },
    { title: "a string that is cut off", block: "00 05 61 62" },
    { title: "a number that never ends", block: "ff ff ff ff ff ff ff" },
    { title: "a name without a value", block: "40 01 61" },
    { title: "Huffman code that fills up with zeros", block: "00 81 00 01 61" },
    { title: "Huffman code that fills up with a whole byte", block: "00 82 1f ff 01 61" },
    { title: "the end mark inside Huffman code", block: "00 84 ff ff ff ff 01 61" },
    { title: "a table larger than allowed", block: "3f e2 1f" },
    { title: "a change of the table behind a header", block: "82 20" },
  ])("with $title is refused", ({ block }) => {
    expect(() => new HpackDecoder().decode(hex(block))).toThrow(ConnectionFault);
  });

  test("forgets its oldest headers when the table is full, and all when its size is set to nothing", () => {
    const decoder = new HpackDecoder();
    const insert = (name: string, value: string): Buffer =>
      Buffer.concat([Buffer.from([0x40]), encodeLiterals([[name, value]]).subarray(1)]);
    decoder.decode(insert("old", "x".repeat(2_000)));
    decoder.decode(insert("new", "y".repeat(2_100)));
    expect(decoder.decode(hex("be"))).toEqual([["new", "y".repeat(2_100)]]);
    expect(() => decoder.decode(hex("bf"))).toThrow("no header has index 63");
    expect(() => decoder.decode(hex("20 be"))).toThrow("no header has index 62");
  });

  test("of our own literals reads as it was written", () => {
    const headers: Header[] = [
      ["grpc-status", "13"],
      ["grpc-message", "m".repeat(5_000)],
    ];
    expect(new HpackDecoder().decode(encodeLiterals(headers))).toEqual(headers);
  });
});

test("two thousand requests of Node's own client, whose table changes all the time, arrive with their headers", async () => {
  const seen: (readonly Header[])[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    new Connection(socket, {
      route(headers) {
        seen.push(headers);
        return (call) => ({ message: () => undefined, halfClosed: () => call.end(), closed: () => undefined });
      },
      surprise: () => undefined,
      fault: () => undefined,
      closed: () => undefined,
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect(`http://127.0.0.1:${Object(server.address()).port}`);
  const random = randomOf(7541);
  const anyText = (): string =>
    Array.from({ length: Math.floor(random() * 40) }, () => String.fromCharCode(33 + Math.floor(random() * 94))).join("");
  const sent: OutgoingHttpHeaders[] = Array.from({ length: 2_000 }, (_, index) => ({
    ":method": "POST",
    ":path": `/p${index % 7}`,
    [`x-${index % 300}`]: anyText(),
    "x-same": "same",
    // Too many to stay in the table.
    [`x-rare-${index}`]: String(index),
  }));
  await Promise.all(
    sent.map(async (headers) => {
      const stream = client.request(headers, { endStream: true });
      stream.resume();
      await once(stream, "end");
    }),
  );
  client.close();
  for (const socket of sockets) socket.destroy();
  server.close();
  const rareOf = (headers: readonly Header[]): string => headers.find(([name]) => name.startsWith("x-rare-"))?.[1] ?? "";
  expect(seen).toHaveLength(sent.length);
  for (const headers of seen) expect(Object.fromEntries(headers)).toMatchObject(sent[Number(rareOf(headers))] ?? {});
});
