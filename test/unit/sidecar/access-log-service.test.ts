import { expect, test } from "vitest";
import { accessLogService } from "../../../src/sidecar/access-log-service.ts";
import { FLAG, FRAME, frame } from "../../../src/sidecar/h2/frames.ts";
import { withPrefix } from "../../../src/sidecar/h2/messages.ts";
import { connectPeer, statusIn } from "../../support/raw-peer.ts";
import { referenceCodec, STREAM_ACCESS_LOGS } from "../../support/reference-codec.ts";

const codec = referenceCodec(STREAM_ACCESS_LOGS);
const entries = (count: number): Buffer => withPrefix(codec.encode({ httpLogs: { logEntry: Array.from({ length: count }, () => ({})) } }));

function connected() {
  const counted = { entries: 0 };
  const service = accessLogService({
    ended: () => void (counted.entries += 1),
    surprise: (_kind, error) => {
      throw error;
    },
  });
  return { service, counted, peer: connectPeer({ method: service.method }) };
}

test("entries that are on their way when the service ends its streams are counted, until Envoy has heard of the end", async () => {
  const { service, counted, peer } = connected();
  peer.open(1);
  peer.send(frame(FRAME.data, 0, 1, entries(3)));
  peer.connection.finish();
  service.endAll();
  // The end is said once, and not by a reset, after which Envoy would throw away what it has not sent yet.
  service.endAll();
  const said = peer.frames();
  expect([statusIn(said, 1), said.some(({ type }) => type === FRAME.rstStream)]).toEqual([0, false]);
  peer.send(frame(FRAME.data, 0, 1, entries(2)), frame(FRAME.data, FLAG.endStream, 1, entries(2)));
  expect(counted.entries).toBe(7);
  await expect.poll(() => peer.server.isOver).toBe(true);
});

test("a stream that Envoy ends is answered and over", () => {
  const { counted, peer } = connected();
  peer.open(1);
  peer.send(frame(FRAME.data, FLAG.endStream, 1, entries(1)));
  expect([statusIn(peer.frames(), 1), counted.entries]).toEqual([0, 1]);
});
