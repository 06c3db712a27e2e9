import { expect, test } from "vitest";
import { entryFacts, isFinal } from "../../../src/sidecar/entry-facts.ts";
import { AccessLogReader } from "../../../src/sidecar/wire/access-log.ts";
import type { RawEntry } from "../../../src/sidecar/wire/raw-entry.ts";
import { referenceCodec, STREAM_ACCESS_LOGS } from "../../support/reference-codec.ts";

const codec = referenceCodec(STREAM_ACCESS_LOGS);

function entryOf(logEntry: object): RawEntry {
  const bytes = codec.encode({ identifier: { logName: "serin", node: { id: "edge" } }, httpLogs: { logEntry: [logEntry] } });
  const [entry] = new AccessLogReader().read(bytes, 0, bytes.length);
  if (entry === undefined) throw new Error("no entry was read");
  return entry;
}

test("an access log entry gives the decision back with what came of it", () => {
  const fields = {
    variant: { stringValue: "canary" },
    rollout: { stringValue: "checkout" },
    run: { stringValue: "3" },
    control: { stringValue: "false" },
    cluster: { stringValue: "new" },
    session: { stringValue: "true" },
    bucket: { numberValue: 4_000_000_000 },
  };
  const entry = entryOf({
    commonProperties: {
      duration: { seconds: 1, nanos: 500_000_000 },
      timeToFirstUpstreamTxByte: { nanos: 2_000_000 },
      timeToLastUpstreamRxByte: { nanos: 9_000_000 },
      timeToFirstDownstreamTxByte: { nanos: 8_000_000 },
      upstreamCluster: "new",
      upstreamRemoteAddress: { socketAddress: { address: "127.0.0.1" } },
      upstreamRequestAttemptCount: 1,
      responseFlags: { upstreamRemoteReset: true, noRouteFound: false },
      metadata: { filterMetadata: { serin: { fields }, other: { fields: { variant: { stringValue: "forged" } } } } },
    },
    response: { responseCode: { value: 503 }, responseTrailers: { "grpc-status": "14", other: "1" } },
  });
  expect(entryFacts(entry)).toEqual({
    decided: {
      variant: "canary",
      rollout: "checkout",
      run: 3,
      control: false,
      cluster: "new",
      bucket: 4_000_000_000,
      isSession: true,
      also: [],
    },
    upstreamCluster: "new",
    upstreamReached: true,
    isOddHost: expect.any(Boolean),
    attempts: 1,
    responseCode: 503,
    grpcStatus: 14,
    flags: ["upstreamRemoteReset"],
    upstreamMs: 7,
    durationMs: 1_500,
    firstByteMs: 8,
  });
});

test("hosts that differ by one are in different halves, and each in the same one ever again", () => {
  const isOddHost = (address: string, portValue: number) =>
    entryFacts(entryOf({ commonProperties: { upstreamRemoteAddress: { socketAddress: { address, portValue } } } })).isOddHost;
  const hosts = [isOddHost("10.0.0.1", 80), isOddHost("10.0.0.2", 80), isOddHost("10.0.0.3", 80), isOddHost("10.0.0.1", 81)];
  expect(hosts.map((host) => host === isOddHost("10.0.0.1", 80))).toEqual([true, false, true, false]);
});

test("an entry without anything is a request that nobody decided", () => {
  const entry = entryOf({});
  expect(entryFacts(entry)).toMatchObject({ decided: undefined, upstreamReached: false, attempts: 0, responseCode: 0, flags: [] });
});

test.each([
  { type: "NotSet", final: true },
  { type: "DownstreamEnd", final: true },
  { type: "DownstreamStart", final: false },
  { type: "DownstreamPeriodic", final: false },
  { type: "UpstreamEnd", final: false },
])("an entry of the type $type ends a request: $final", ({ type, final }) => {
  const entry = entryOf({ commonProperties: { accessLogType: type } });
  expect(isFinal(entry)).toBe(final);
});
