import { expect, test } from "vitest";
import type { Attribution } from "../../../src/sidecar/attribution.ts";
import { FLAG, FRAME, frame } from "../../../src/sidecar/h2/frames.ts";
import { withPrefix } from "../../../src/sidecar/h2/messages.ts";
import { logLinesMethod } from "../../../src/sidecar/log-lines-service.ts";
import { EXPORT_LOGS_REQUEST, EXPORT_LOGS_RESPONSE, exportOf, lineOf, logsCodec } from "../../support/log-lines.ts";
import { connectPeer, statusIn } from "../../support/raw-peer.ts";

function connected() {
  const counted: Attribution["kind"][] = [];
  const surprises: unknown[] = [];
  const method = logLinesMethod({
    ended: ({ kind }) => counted.push(kind),
    surprise: (kind) => surprises.push(kind),
  });
  return { counted, surprises, peer: connectPeer({ method }) };
}

const request = (lines: readonly string[]): Buffer => withPrefix(logsCodec(EXPORT_LOGS_REQUEST).encode(exportOf(lines)));
const GOOD = lineOf({
  "%DYNAMIC_METADATA(serin:outcome)%": "00000007:--:3:canary:checkout:canary",
  "%UPSTREAM_REQUEST_ATTEMPT_COUNT%": "1",
});

function rejected(peer: ReturnType<typeof connectPeer>): unknown {
  const frames = peer.frames();
  expect(statusIn(frames, 1)).toBe(0);
  const [data] = frames.filter(({ type }) => type === FRAME.data);
  return Object(logsCodec(EXPORT_LOGS_RESPONSE).decode(data?.payload.subarray(5) ?? Buffer.alloc(0))).partialSuccess;
}

test("each line is an outcome, and all are said to be taken", () => {
  const { counted, peer } = connected();
  peer.open(1);
  peer.send(frame(FRAME.data, FLAG.endStream, 1, request([GOOD, GOOD, GOOD])));
  expect(counted).toEqual(["outcome", "outcome", "outcome"]);
  expect(rejected(peer)).toBeUndefined();
});

test("a line with decisions on rollouts that only set tags is an outcome for each", () => {
  const { counted, peer } = connected();
  peer.open(1);
  const also = "banner:on:3:-:0000000a menu:off:1:-:--------";
  peer.send(frame(FRAME.data, FLAG.endStream, 1, request([GOOD.replace("\n-", `\n${also}`)])));
  expect(counted).toEqual(["outcome", "outcome", "outcome"]);
});

test("what is no outcome is refused by number, so that Envoy counts it as dropped, and what stands around it is taken", () => {
  const { counted, surprises, peer } = connected();
  peer.open(1);
  peer.send(frame(FRAME.data, FLAG.endStream, 1, request([GOOD, "GET / 200", GOOD, ""])));
  expect(counted).toEqual(["outcome", "outcome"]);
  expect(surprises).toEqual(["access log entry", "access log entry"]);
  expect(rejected(peer)).toMatchObject({ rejectedLogRecords: 2 });
});

test("a message that cannot be read ends its stream with an error, and takes nothing", () => {
  const { counted, peer } = connected();
  peer.open(1);
  peer.send(frame(FRAME.data, FLAG.endStream, 1, withPrefix(Buffer.from([0x0a, 0x7f]))));
  expect(statusIn(peer.frames(), 1)).toBe(13);
  expect(counted).toEqual([]);
});

test("a request that comes in single bytes is the same request", () => {
  const { counted, peer } = connected();
  peer.open(1);
  for (const byte of request([GOOD, GOOD])) peer.send(frame(FRAME.data, 0, 1, Buffer.from([byte])));
  peer.send(frame(FRAME.data, FLAG.endStream, 1));
  expect(counted).toEqual(["outcome", "outcome"]);
  expect(rejected(peer)).toBeUndefined();
});
