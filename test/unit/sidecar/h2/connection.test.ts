import { describe, expect, test } from "vitest";
import { CODE, FLAG, FRAME, frame, PREFACE, rstStream, SETTING, settings, windowUpdate } from "../../../../src/sidecar/h2/frames.ts";
import { encodeLiterals } from "../../../../src/sidecar/h2/hpack.ts";
import { MAX_MESSAGE_BYTES, withPrefix } from "../../../../src/sidecar/h2/messages.ts";
import { connectPeer, messagesIn, REQUEST, statusIn } from "../../../support/raw-peer.ts";

const block = encodeLiterals(REQUEST);
const STATUS_OK = 0;

describe("a connection", () => {
  test("greets with its settings and the room it gives", () => {
    const greeting = connectPeer({ greets: false }).frames();
    expect(greeting.map(({ type, stream }) => [type, stream])).toEqual([
      [FRAME.settings, 0],
      [FRAME.windowUpdate, 0],
    ]);
  });

  test("takes the client's greeting in any pieces", () => {
    const peer = connectPeer({ greets: false });
    for (const byte of Buffer.concat([PREFACE, settings([])])) peer.send(Buffer.from([byte]));
    peer.open(1);
    peer.message(1, "a");
    expect(peer.server.messages).toEqual(["a"]);
  });

  test("acknowledges settings, and answers a ping with its bytes", () => {
    const peer = connectPeer();
    peer.send(settings([[SETTING.enablePush, 0]]), frame(FRAME.ping, 0, 0, Buffer.from("12345678")));
    expect(peer.frames()).toEqual([
      { type: FRAME.settings, flags: FLAG.ack, stream: 0, payload: Buffer.alloc(0) },
      { type: FRAME.ping, flags: FLAG.ack, stream: 0, payload: Buffer.from("12345678") },
    ]);
  });

  test("ignores what it need not know: acknowledgements, priorities, the client's farewell, frames of other kinds", () => {
    const peer = connectPeer();
    peer.send(
      frame(FRAME.settings, FLAG.ack, 0),
      frame(FRAME.ping, FLAG.ack, 0, Buffer.alloc(8)),
      frame(FRAME.priority, 0, 1, Buffer.alloc(5)),
      frame(FRAME.goaway, 0, 0, Buffer.alloc(8)),
      frame(0xee, 0xff, 77, Buffer.from("what is this")),
    );
    expect(peer.frames()).toEqual([]);
    peer.open(1);
    peer.message(1, "a");
    expect(messagesIn(peer.frames(), 1)).toEqual(["a"]);
  });

  test("gives back the room that messages took, of the connection and of a stream that stays open", () => {
    const peer = connectPeer();
    peer.open(1);
    const message = "x".repeat(16_000);
    for (let sent = 0; sent < 600; sent += 1) peer.message(1, message);
    const updates = peer.frames().filter(({ type }) => type === FRAME.windowUpdate);
    const given = (stream: number): number =>
      updates.filter((update) => update.stream === stream).reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);
    const taken = 600 * (16_000 + 5);
    // Half a window may still be out: 8 MiB of the connection's, 512 KiB of the stream's.
    expect(given(0)).toBeGreaterThan(taken - 8_400_000);
    expect(given(1)).toBeGreaterThan(taken - 550_000);
    expect(Math.max(given(0), given(1))).toBeLessThanOrEqual(taken);
  });

  test("reads nothing more from a client that does not read its answers, and goes on when it does", () => {
    const peer = connectPeer();
    peer.send(windowUpdate(0, 100_000_000), settings([[SETTING.initialWindow, 100_000_000]]));
    peer.setReading(false);
    peer.open(1);
    for (let sent = 0; sent < 200; sent += 1) peer.message(1, "x".repeat(16_000));
    expect(peer.isPaused()).toBe(true);
    peer.setReading(true);
    expect(messagesIn(peer.frames(), 1).length).toBeGreaterThan(0);
  });
});

describe("a stream", () => {
  test("answers each message once, and ends when the client has ended", () => {
    const peer = connectPeer();
    peer.open(1);
    peer.message(1, "a");
    peer.message(1, "b");
    peer.send(frame(FRAME.data, FLAG.endStream, 1));
    const frames = peer.frames();
    expect(messagesIn(frames, 1)).toEqual(["a", "b"]);
    expect(statusIn(frames, 1)).toBe(STATUS_OK);
    expect(peer.server).toMatchObject({ halfClosed: 1, closed: 1, resets: 0 });
  });

  test("takes a message that comes byte by byte, and several that come in one frame", () => {
    const peer = connectPeer();
    peer.open(1);
    for (const byte of withPrefix(Buffer.from("slow"))) peer.send(frame(FRAME.data, 0, 1, Buffer.from([byte])));
    peer.send(
      frame(
        FRAME.data,
        0,
        1,
        Buffer.concat([withPrefix(Buffer.from("two")), withPrefix(Buffer.alloc(0)), withPrefix(Buffer.from("three"))]),
      ),
    );
    const long = withPrefix(Buffer.from("long".repeat(10_000)));
    for (let at = 0; at < long.length; at += 16_000) peer.send(frame(FRAME.data, 0, 1, long.subarray(at, at + 16_000)));
    expect(peer.server.messages).toEqual(["slow", "two", "", "three", "long".repeat(10_000)]);
  });

  test("takes padded frames, with or without priority", () => {
    const peer = connectPeer();
    const padded = Buffer.concat([Buffer.from([3]), Buffer.alloc(5), block, Buffer.alloc(3)]);
    peer.send(frame(FRAME.headers, FLAG.endHeaders | FLAG.padded | FLAG.priority, 1, padded));
    peer.send(frame(FRAME.data, FLAG.padded, 1, Buffer.concat([Buffer.from([2]), withPrefix(Buffer.from("a")), Buffer.alloc(2)])));
    expect(peer.server.messages).toEqual(["a"]);
  });

  test("takes a header block in pieces, and trailers of the client as its end", () => {
    const peer = connectPeer();
    peer.send(frame(FRAME.headers, 0, 1, block.subarray(0, 4)), frame(FRAME.continuation, 0, 1, block.subarray(4, 9)));
    peer.send(frame(FRAME.continuation, FLAG.endHeaders, 1, block.subarray(9)));
    expect(peer.server.routed).toEqual([REQUEST]);
    peer.open(1, FLAG.endHeaders | FLAG.endStream);
    expect(statusIn(peer.frames(), 1)).toBe(STATUS_OK);
  });

  test("that the client resets is over at once: told once, and nothing more is sent on it", () => {
    const peer = connectPeer();
    peer.open(1);
    peer.message(1, "a");
    peer.frames();
    peer.send(rstStream(1, CODE.cancel), windowUpdate(1, 10), rstStream(1, CODE.cancel));
    peer.server.calls[0]?.send(Buffer.from("late"));
    peer.server.calls[0]?.end();
    peer.server.calls[0]?.flush();
    expect(peer.frames()).toEqual([]);
    expect(peer.server).toMatchObject({ closed: 1, resets: 1, halfClosed: 0 });
  });

  test("takes ten thousand resets and serves the next stream: no limit stands between Envoy and its decisions", () => {
    const peer = connectPeer();
    for (let id = 1; id <= 20_001; id += 2) {
      peer.open(id);
      peer.message(id, "a");
      peer.send(rstStream(id, CODE.cancel), windowUpdate(0, 100));
    }
    peer.frames();
    peer.open(20_003);
    peer.message(20_003, "still here");
    expect(messagesIn(peer.frames(), 20_003)).toEqual(["still here"]);
    expect(peer.server.resets).toBe(10_001);
  });

  test("on which the client goes on after its end is reset, and the others are not touched", () => {
    const peer = connectPeer();
    peer.open(1);
    peer.open(3);
    peer.send(frame(FRAME.data, FLAG.endStream, 1));
    peer.frames();
    peer.message(1, "too late");
    expect(peer.frames()).toMatchObject([{ type: FRAME.rstStream, stream: 1, payload: Buffer.from([0, 0, 0, CODE.streamClosed]) }]);
    peer.message(3, "fine");
    expect(messagesIn(peer.frames(), 3)).toEqual(["fine"]);
  });

  test("whose last message is cut off ends with an error", () => {
    const peer = connectPeer();
    peer.open(1);
    peer.send(frame(FRAME.data, FLAG.endStream, 1, withPrefix(Buffer.from("cut")).subarray(0, 6)));
    expect(statusIn(peer.frames(), 1)).toBe(13);
    expect(peer.server.closed).toBe(1);
  });

  test.each([
    { title: "compressed", prefix: [1, 0, 0, 0, 1, 65], status: 12 },
    { title: `longer than ${MAX_MESSAGE_BYTES} bytes`, prefix: [0, 1, 0, 0, 0, 65], status: 8 },
  ])("with a message that is $title ends with status $status, before the message has come", ({ prefix, status }) => {
    const peer = connectPeer();
    peer.open(1);
    peer.send(frame(FRAME.data, 0, 1, Buffer.from(prefix)));
    const frames = peer.frames();
    expect(statusIn(frames, 1)).toBe(status);
    // The client is told to stop sending.
    expect(frames.at(-1)).toMatchObject({ type: FRAME.rstStream, stream: 1 });
    expect(peer.server).toMatchObject({ messages: [], closed: 1 });
  });

  test("whose handler throws ends with status 13; the surprise is told, and the connection lives", () => {
    const peer = connectPeer();
    peer.open(1);
    peer.open(3);
    peer.message(1, "throw");
    peer.message(3, "fine");
    const frames = peer.frames();
    expect(statusIn(frames, 1)).toBe(13);
    expect(messagesIn(frames, 3)).toEqual(["fine"]);
    expect(peer.server.surprises).toEqual([new Error("as asked")]);
  });

  test("that cannot even begin ends its connection and nothing else: Envoy opens another", async () => {
    const peer = connectPeer();
    peer.open(1);
    peer.server.cannotBegin = true;
    peer.open(3);
    expect(peer.frames().at(-1)).toMatchObject({ type: FRAME.goaway });
    expect(peer.server).toMatchObject({ closed: 1, surprises: [new Error("cannot begin")] });
    await expect.poll(() => peer.server.isOver).toBe(true);
  });
});
