import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { NO_ROLLOUT } from "../../../src/core/decide/decide.ts";
import type { Decision } from "../../../src/core/decide/types.ts";
import { type Attribution, attribute, attributeToggles, type EntryFacts } from "../../../src/sidecar/attribution.ts";
import { entryFacts } from "../../../src/sidecar/entry-facts.ts";
import { LineReader } from "../../../src/sidecar/line-facts.ts";
import { AccessLogReader } from "../../../src/sidecar/wire/access-log.ts";
import { alsoText, writeBuckets } from "../../../src/sidecar/wire/also.ts";
import { LogLineReader } from "../../../src/sidecar/wire/log-lines.ts";
import { outcomeText } from "../../../src/sidecar/wire/outcome.ts";
import { EXPORT_LOGS_REQUEST, exportOf, lineOf, logsCodec } from "../../support/log-lines.ts";
import { referenceCodec, STREAM_ACCESS_LOGS } from "../../support/reference-codec.ts";

/** Flags by both of their names (stream_info/utility.h; ResponseFlags in accesslog.proto). */
const FLAGS = {
  UH: "noHealthyUpstream",
  UT: "upstreamRequestTimeout",
  UR: "upstreamRemoteReset",
  UF: "upstreamConnectionFailure",
  UC: "upstreamConnectionTermination",
  UO: "upstreamOverflow",
  URX: "upstreamRetryLimitExceeded",
  UMSDR: "upstreamMaxStreamDurationReached",
  UPE: "upstreamProtocolError",
  DF: "dnsResolutionFailure",
  NC: "noClusterFound",
  NR: "noRouteFound",
  DC: "downstreamConnectionTermination",
  DR: "downstreamRemoteReset",
  DPE: "downstreamProtocolError",
  SI: "streamIdleTimeout",
} as const;
type Flag = keyof typeof FLAGS;
const SHORT = Object.keys(FLAGS) as Flag[];

/** Where a request went: the cluster that was asked, the one that its host belongs to, and flags that always come with it. */
const PLACES = [
  { asked: "stable", own: "stable", flags: [] },
  { asked: "canary-or-nobody", own: "canary", flags: [] },
  { asked: "canary-or-nobody", own: "nobody", flags: ["UF"] },
  { asked: "other", own: "other", flags: [] },
  { asked: "stable", own: undefined, flags: ["UH"] },
  { asked: undefined, own: undefined, flags: [] },
] as const;

const bucket = fc.option(fc.nat(0xffffffff), { nil: undefined });
const decided = fc.record({
  rollout: fc.constantFrom("checkout", undefined),
  variant: fc.constantFrom("stable", "canary"),
  run: fc.nat(1_000_000),
  control: fc.boolean(),
  bucket,
});
const toggle = fc.record({
  rollout: fc.constantFrom("banner", "menu"),
  variant: fc.constantFrom("on", "stable"),
  run: fc.nat(9),
  control: fc.boolean(),
  bucket,
});
const ns = fc.nat(4_000_000_000);
const status = fc.constantFrom(undefined, "0", "2", "5", "14");

/** What happened, as Envoy knows it. */
const endings = fc.record({
  decision: fc.option(decided, { nil: undefined }),
  toggles: fc.array(toggle, { maxLength: 2 }),
  isSession: fc.boolean(),
  cluster: fc.constantFrom("stable", "canary"),
  place: fc.constantFrom(...PLACES),
  code: fc.constantFrom(0, 101, 200, 204, 404, 408, 429, 500, 503),
  attempts: fc.constantFrom(0, 1, 1, 1, 2),
  flags: fc.subarray(SHORT, { maxLength: 2 }),
  sentNs: fc.option(ns, { nil: undefined }),
  upstreamNs: fc.option(ns, { nil: undefined }),
  durationNs: ns,
  isWhole: fc.boolean(),
  header: status,
  trailer: status,
});
type Ending = typeof endings extends fc.Arbitrary<infer One> ? One : never;

const asDecision = (fields: Partial<Decision>): Decision => ({ ...NO_ROLLOUT, ...fields });
const flagsOf = ({ flags, place }: Ending): Flag[] => [...new Set<Flag>([...flags, ...place.flags])];

function alsoOf({ toggles }: Ending): string {
  const all = toggles.map(asDecision);
  const bytes = Buffer.from(alsoText(all));
  writeBuckets(bytes, 0, all);
  return bytes.toString();
}

const streams = referenceCodec(STREAM_ACCESS_LOGS);
const duration = (nanos: number): object => ({ seconds: Math.floor(nanos / 1e9), nanos: nanos % 1e9 });

/** The ending through Envoy's access log stream. */
function byStream(ending: Ending): EntryFacts {
  const { decision, cluster, isSession, place, sentNs, upstreamNs, header, trailer } = ending;
  const text = (stringValue: string): object => ({ stringValue });
  const { rollout } = decision ?? {};
  const also = alsoOf(ending);
  const fields = decision && {
    variant: text(decision.variant),
    ...(rollout !== undefined && { rollout: text(rollout), run: text(String(decision.run)), control: text(String(decision.control)) }),
    ...(rollout !== undefined && { cluster: text(cluster) }),
    ...(isSession && { session: text("true") }),
    ...(decision.bucket !== undefined && { bucket: { numberValue: decision.bucket } }),
    ...(also !== "" && { also: text(also) }),
  };
  const commonProperties = {
    duration: duration(ending.durationNs),
    ...(sentNs !== undefined && { timeToFirstUpstreamTxByte: duration(sentNs) }),
    ...(sentNs !== undefined && upstreamNs !== undefined && { timeToLastUpstreamRxByte: duration(sentNs + upstreamNs) }),
    ...(place.own !== undefined && { upstreamCluster: place.own, upstreamRemoteAddress: { socketAddress: { address: "10.0.0.1" } } }),
    upstreamRequestAttemptCount: ending.attempts,
    responseFlags: Object.fromEntries(flagsOf(ending).map((flag) => [FLAGS[flag], true])),
    ...(fields && { metadata: { filterMetadata: { serin: { fields } } } }),
  };
  const response = {
    responseCode: { value: ending.code },
    responseHeaders: header === undefined ? {} : { "grpc-status": header },
    responseTrailers: trailer === undefined ? {} : { "grpc-status": trailer },
  };
  const bytes = streams.encode({ httpLogs: { logEntry: [{ commonProperties, response }] } });
  const [entry] = new AccessLogReader().read(bytes, 0, bytes.length);
  if (entry === undefined) throw new Error("no entry was read");
  return entryFacts(entry);
}

const logs = logsCodec(EXPORT_LOGS_REQUEST);

/** The ending through a line. */
function byLine(ending: Ending): EntryFacts {
  const { decision, cluster, isSession, place, sentNs, upstreamNs, header, trailer, durationNs } = ending;
  const flags = flagsOf(ending);
  const outcome = decision && outcomeText(asDecision(decision), decision.rollout === undefined ? undefined : cluster, isSession).slice(8);
  const hex = decision?.bucket === undefined ? "--------" : decision.bucket.toString(16).padStart(8, "0");
  const also = alsoOf(ending);
  const known = (values: Readonly<Record<string, string | undefined>>): Record<string, string> =>
    Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  const line = lineOf(
    known({
      "%DYNAMIC_METADATA(serin:outcome)%": outcome && `${hex}${outcome}`,
      "%DYNAMIC_METADATA(serin:also)%": decision === undefined || also === "" ? undefined : also,
      "%RESPONSE_CODE%": String(ending.code),
      "%RESPONSE_FLAGS%": flags.length === 0 ? "-" : flags.join(","),
      "%UPSTREAM_REQUEST_ATTEMPT_COUNT%": String(ending.attempts),
      "%UPSTREAM_HOST%": place.own && "10.0.0.1:80",
      "%COMMON_DURATION(US_TX_BEG:US_RX_END:ns)%": sentNs === undefined || upstreamNs === undefined ? undefined : String(upstreamNs),
      "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:ns)%": ending.isWhole ? String(durationNs) : undefined,
      "%DURATION%": String(Math.floor(durationNs / 1e6)),
      "%RESP(grpc-status):4%": header,
      "%TRAILER(grpc-status):4%": trailer,
      "%UPSTREAM_CLUSTER_RAW%": place.asked,
    }),
  );
  const bytes = logs.encode(exportOf([line]));
  const [read = ""] = new LogLineReader().read(bytes, 0, bytes.length);
  return new LineReader().read(read);
}

const latencyIn = (attribution: Attribution | undefined): number | undefined =>
  attribution?.kind === "outcome" ? attribution.latencyMs : undefined;
const withoutLatency = (attribution: Attribution): object => ({ ...attribution, latencyMs: undefined });
const attributed = (facts: EntryFacts): Attribution[] => [attribute(facts), ...attributeToggles(facts)];

describe("an ending that Envoy tells as a line", () => {
  test.prop([endings], { numRuns: 2_000 })("counts for whom, and as what, it would count through the access log stream", (ending) => {
    const [line, stream] = [attributed(byLine(ending)), attributed(byStream(ending))];
    expect(line.map(withoutLatency)).toEqual(stream.map(withoutLatency));
  });

  test.prop([endings], { numRuns: 2_000 })("has the same time, to the millisecond where the answer had no end", (ending) => {
    const [line, stream] = [attributed(byLine(ending)), attributed(byStream(ending))].map((all) => latencyIn(all[0]));
    expect(line === undefined).toBe(stream === undefined);
    const exact = ending.isWhole || (ending.sentNs !== undefined && ending.upstreamNs !== undefined && ending.durationNs < 1e9);
    const difference = (stream ?? 0) - (line ?? 0);
    expect(difference).toBeGreaterThan(-0.001);
    expect(difference).toBeLessThan(exact ? 0.001 : 1);
  });
});
