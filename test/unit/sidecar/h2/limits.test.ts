import { describe, expect, test } from "vitest";
import { CODE, FLAG, FRAME, frame, PREFACE, rstStream, SETTING, settings, windowUpdate } from "../../../../src/sidecar/h2/frames.ts";
import { encodeLiterals } from "../../../../src/sidecar/h2/hpack.ts";
import { withPrefix } from "../../../../src/sidecar/h2/messages.ts";
import { connectPeer, messagesIn, REQUEST, type SeenFrame, statusIn } from "../../../support/raw-peer.ts";

const block = encodeLiterals(REQUEST);
const dataBytes = (frames: readonly SeenFrame[]): number =>
  frames.filter(({ type }) => type === FRAME.data).reduce((sum, { payload }) => sum + payload.length, 0);

describe("an answer", () => {
  test("waits for room on its stream, goes out in pieces as room comes, and its trailers come last", () => {
    const peer = connectPeer();
    peer.send(settings([[SETTING.initialWindow, 10]]));
    peer.frames();
    peer.open(1);
    peer.message(1, "0123456789", FLAG.endStream);
    const first = peer.frames();
    expect([dataBytes(first), statusIn(first, 1)]).toEqual([10, undefined]);
    peer.send(windowUpdate(1, 3));
    expect(dataBytes(peer.frames())).toBe(3);
    peer.send(windowUpdate(1, 100));
    const last = peer.frames();
    expect(dataBytes(last)).toBe(2);
    expect(last.at(-1)?.type).toBe(FRAME.headers);
    expect(statusIn(last, 1)).toBe(0);
    expect(peer.server.closed).toBe(1);
  });

  test("waits for room on the connection, which all streams share", () => {
    const peer = connectPeer();
    peer.send(settings([[SETTING.initialWindow, 1_000_000]]));
    peer.frames();
    for (const id of [1, 3, 5, 7, 9]) {
      peer.open(id);
      peer.message(id, "x".repeat(16_000));
    }
    // 65,535 bytes is what a connection gives before it says more.
    const first = peer.frames();
    expect(dataBytes(first)).toBe(65_535);
    peer.send(windowUpdate(0, 1_000_000));
    const all = [...first, ...peer.frames()];
    for (const id of [1, 3, 5, 7, 9]) expect(messagesIn(all, id)).toEqual(["x".repeat(16_000)]);
  });

  test("waits when new settings take back room that was given", () => {
    const peer = connectPeer();
    peer.open(1);
    peer.message(1, "x".repeat(10_000));
    peer.send(settings([[SETTING.initialWindow, 100]]));
    peer.frames();
    peer.message(1, "more");
    expect(dataBytes(peer.frames())).toBe(0);
    // 10,005 bytes are out, 100 are allowed: 9,905 must come back before one goes out.
    peer.send(windowUpdate(1, 9_905));
    expect(dataBytes(peer.frames())).toBe(0);
    peer.send(windowUpdate(1, 9));
    expect(dataBytes(peer.frames())).toBe(9);
  });

  test("that waits when the client resets its stream is dropped, and room goes to others", () => {
    const peer = connectPeer();
    peer.send(settings([[SETTING.initialWindow, 0]]));
    peer.open(1);
    peer.open(3);
    peer.message(1, "never");
    peer.message(3, "later");
    peer.send(rstStream(1, CODE.cancel), settings([[SETTING.initialWindow, 100]]));
    const frames = peer.frames();
    expect([messagesIn(frames, 1), messagesIn(frames, 3)]).toEqual([[], ["later"]]);
  });
});

describe("the connection ends, with the reason in GOAWAY and every stream told, when the client", () => {
  const long = Buffer.alloc(16_385);
  const asking = withPrefix(Buffer.alloc(16_000));
  test.each([
    { title: "sends a frame that is too long", frames: [frame(FRAME.data, 0, 1, long)], code: CODE.frameSize },
    { title: "sends data on no stream", frames: [frame(FRAME.data, 0, 0)], code: CODE.protocol },
    { title: "sends data on a stream that it never opened", frames: [frame(FRAME.data, 0, 99)], code: CODE.protocol },
    { title: "resets a stream that it never opened", frames: [rstStream(99, 0)], code: CODE.protocol },
    { title: "resets no stream", frames: [rstStream(0, 0)], code: CODE.protocol },
    { title: "sends a reset of another size", frames: [frame(FRAME.rstStream, 0, 1, Buffer.alloc(3))], code: CODE.frameSize },
    { title: "opens a stream with an even number", frames: [frame(FRAME.headers, FLAG.endHeaders, 4, block)], code: CODE.protocol },
    { title: "opens stream 0", frames: [frame(FRAME.headers, FLAG.endHeaders, 0, block)], code: CODE.protocol },
    {
      title: "opens a stream that was over",
      frames: [frame(FRAME.data, FLAG.endStream, 1), frame(FRAME.headers, FLAG.endHeaders, 1, block)],
      code: CODE.streamClosed,
    },
    {
      title: "goes back to a lower number",
      frames: [frame(FRAME.headers, FLAG.endHeaders, 9, block), frame(FRAME.headers, FLAG.endHeaders, 7, block)],
      code: CODE.streamClosed,
    },
    {
      title: "interrupts a header block",
      frames: [frame(FRAME.headers, 0, 3, block), frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
      code: CODE.protocol,
    },
    {
      title: "goes on with the block of another stream",
      frames: [frame(FRAME.headers, 0, 3, block), frame(FRAME.continuation, FLAG.endHeaders, 5, block)],
      code: CODE.protocol,
    },
    { title: "goes on with a block that never began", frames: [frame(FRAME.continuation, FLAG.endHeaders, 3, block)], code: CODE.protocol },
    {
      title: "sends a header block without end",
      frames: [
        frame(FRAME.headers, 0, 3, block),
        ...Array.from({ length: 9 }, () => frame(FRAME.continuation, 0, 3, Buffer.alloc(16_000))),
      ],
      code: CODE.calm,
    },
    {
      title: "sends empty pieces of a header block",
      frames: [frame(FRAME.headers, 0, 3, block), frame(FRAME.continuation, 0, 3)],
      code: CODE.calm,
    },
    {
      title: "sends headers that cannot be read",
      frames: [frame(FRAME.headers, FLAG.endHeaders, 3, Buffer.from([0xff]))],
      code: CODE.compression,
    },
    {
      title: "pads more than there is",
      frames: [frame(FRAME.headers, FLAG.endHeaders | FLAG.padded, 3, Buffer.from([9, 1]))],
      code: CODE.protocol,
    },
    {
      title: "leaves a priority out",
      frames: [frame(FRAME.headers, FLAG.endHeaders | FLAG.priority, 3, Buffer.alloc(4))],
      code: CODE.frameSize,
    },
    { title: "pushes", frames: [frame(FRAME.pushPromise, FLAG.endHeaders, 1, Buffer.alloc(4))], code: CODE.protocol },
    { title: "sends settings of a stream", frames: [frame(FRAME.settings, 0, 1)], code: CODE.protocol },
    { title: "sends settings of another size", frames: [frame(FRAME.settings, 0, 0, Buffer.alloc(5))], code: CODE.frameSize },
    { title: "acknowledges settings with content", frames: [frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(6))], code: CODE.frameSize },
    { title: "sets ENABLE_PUSH to 2", frames: [settings([[SETTING.enablePush, 2]])], code: CODE.protocol },
    { title: "sets a window beyond 2³¹−1", frames: [settings([[SETTING.initialWindow, 0x8000_0000]])], code: CODE.flowControl },
    { title: "sets frames below 16,384 bytes", frames: [settings([[SETTING.maxFrame, 16_383]])], code: CODE.protocol },
    { title: "sends a ping of another size", frames: [frame(FRAME.ping, 0, 0, Buffer.alloc(7))], code: CODE.frameSize },
    { title: "sends a ping of a stream", frames: [frame(FRAME.ping, 0, 1, Buffer.alloc(8))], code: CODE.protocol },
    { title: "gives no room", frames: [windowUpdate(0, 0)], code: CODE.protocol },
    { title: "gives room beyond 2³¹−1", frames: [windowUpdate(0, 0x7fff_ffff)], code: CODE.flowControl },
    { title: "gives room of another size", frames: [frame(FRAME.windowUpdate, 0, 0, Buffer.alloc(3))], code: CODE.frameSize },
    {
      title: "sets a window with which one that it has widened would go beyond 2³¹−1",
      frames: [windowUpdate(1, 0x7fff_ffff - 65_535), settings([[SETTING.initialWindow, 65_536]])],
      code: CODE.flowControl,
    },
    {
      title: "asks and asks, and gives no room for the answers",
      frames: [settings([[SETTING.initialWindow, 0]]), ...Array.from({ length: 1_100 }, () => frame(FRAME.data, 0, 1, asking))],
      code: CODE.calm,
    },
  ])("$title", async ({ frames, code }) => {
    const peer = connectPeer();
    peer.open(1);
    peer.frames();
    peer.send(...frames);
    const last = peer.frames().at(-1);
    expect([last?.type, last?.payload.readUInt32BE(4)]).toEqual([FRAME.goaway, code]);
    expect(peer.server.faults).toHaveLength(1);
    expect(peer.server.closed).toBe(peer.server.calls.length);
    await expect.poll(() => peer.server.isOver).toBe(true);
  });

  test("is no HTTP/2 client at all", () => {
    const peer = connectPeer({ greets: false });
    peer.frames();
    peer.send(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    expect(peer.frames()).toMatchObject([{ type: FRAME.goaway }]);
    expect(peer.server.faults).toEqual(["this is not HTTP/2"]);
  });

  test.each([
    { title: "a request", first: frame(FRAME.headers, FLAG.endHeaders, 1, block) },
    { title: "an acknowledgement", first: frame(FRAME.settings, FLAG.ack, 0) },
  ])("begins with $title and not with its settings", ({ first }) => {
    const peer = connectPeer({ greets: false });
    peer.frames();
    peer.send(PREFACE, first);
    expect(peer.frames()).toMatchObject([{ type: FRAME.goaway }]);
    expect(peer.server).toMatchObject({ faults: ["the client does not begin with its settings"], routed: [] });
  });
});

describe("one stream is reset, and the others live, when the client", () => {
  test.each([
    { title: "gives it no room", frames: [windowUpdate(1, 0)], code: CODE.protocol },
    { title: "gives it room beyond 2³¹−1", frames: [windowUpdate(1, 0x7fff_ffff)], code: CODE.flowControl },
    { title: "sends trailers and does not end it", frames: [frame(FRAME.headers, FLAG.endHeaders, 1, block)], code: CODE.protocol },
  ])("$title", ({ frames, code }) => {
    const peer = connectPeer();
    peer.open(1);
    peer.open(3);
    peer.frames();
    peer.send(...frames);
    expect(peer.frames()).toMatchObject([{ type: FRAME.rstStream, stream: 1, payload: Buffer.from([0, 0, 0, code]) }]);
    peer.message(3, "fine");
    expect(messagesIn(peer.frames(), 3)).toEqual(["fine"]);
    expect(peer.server).toMatchObject({ isOver: false, closed: 1 });
  });
});
