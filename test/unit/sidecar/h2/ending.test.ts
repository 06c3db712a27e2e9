import { describe, expect, test } from "vitest";
import { CODE, FLAG, FRAME, frame, goaway } from "../../../../src/sidecar/h2/frames.ts";
import { encodeLiterals } from "../../../../src/sidecar/h2/hpack.ts";
import { connectPeer, messagesIn, REQUEST, statusIn } from "../../../support/raw-peer.ts";

const block = encodeLiterals(REQUEST);

describe("what was on its way when the server reset a stream is no fault:", () => {
  test("trailers and data are ignored, the table of headers goes on, and the other streams live", () => {
    const peer = connectPeer();
    peer.open(1);
    peer.open(3);
    peer.message(1, "throw");
    expect(peer.frames().at(-1)).toMatchObject({ type: FRAME.rstStream, stream: 1 });
    peer.message(1, "late");
    // Literal with indexing: the next block may name it by its index in the table, 62.
    const indexed = Buffer.concat([Buffer.from([0x40, 4]), Buffer.from("late"), Buffer.from([3]), Buffer.from("yes")]);
    peer.send(frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, indexed));
    expect(peer.frames()).toEqual([]);
    peer.message(3, "fine");
    expect(messagesIn(peer.frames(), 3)).toEqual(["fine"]);
    peer.send(frame(FRAME.headers, FLAG.endHeaders, 5, Buffer.concat([block, Buffer.from([0x80 | 62])])));
    expect(peer.server.routed.at(-1)).toEqual([...REQUEST, ["late", "yes"]]);
    expect(peer.server).toMatchObject({ faults: [], isOver: false });
  });

  test("so for a stream that was refused", () => {
    const peer = connectPeer();
    peer.open(1);
    peer.connection.finish();
    peer.open(3);
    peer.frames();
    peer.message(3, "late");
    peer.send(frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 3, block));
    expect([peer.frames(), peer.server.faults]).toEqual([[], []]);
  });
});

describe("a connection that drains", () => {
  test("asks for no more streams, serves those that come all the same, and ends with the last", async () => {
    const peer = connectPeer();
    peer.open(1);
    peer.connection.drain();
    expect(peer.frames()).toMatchObject([{ type: FRAME.goaway, payload: goaway(0x7fff_ffff, 0).subarray(9) }]);
    peer.open(3);
    peer.message(3, "on its way", FLAG.endStream);
    expect(messagesIn(peer.frames(), 3)).toEqual(["on its way"]);
    peer.connection.finish();
    expect(peer.frames()).toMatchObject([{ type: FRAME.goaway, payload: goaway(3, 0).subarray(9) }]);
    peer.open(5);
    expect(peer.frames()).toMatchObject([{ type: FRAME.rstStream, stream: 5, payload: Buffer.from([0, 0, 0, CODE.refused]) }]);
    expect(peer.server.isOver).toBe(false);
    peer.message(1, "last", FLAG.endStream);
    expect(statusIn(peer.frames(), 1)).toBe(0);
    await expect.poll(() => peer.server.isOver).toBe(true);
  });

  test("writes nothing more after its end, whatever the client sends", async () => {
    const peer = connectPeer();
    peer.frames();
    peer.setReading(false);
    peer.connection.finish();
    peer.send(frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
    peer.setReading(true);
    await expect.poll(() => peer.server.isOver).toBe(true);
    expect(peer.server.errors).toEqual([]);
    expect(peer.frames().map(({ type }) => type)).toEqual([FRAME.goaway]);
  });

  test("closes at once when nothing is open", async () => {
    const peer = connectPeer();
    peer.connection.finish();
    await expect.poll(() => peer.server.isOver).toBe(true);
  });
});
