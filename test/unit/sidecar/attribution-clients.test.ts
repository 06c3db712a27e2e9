import { expect, test } from "vitest";
import { attribute } from "../../../src/sidecar/attribution.ts";
import { entry } from "../../support/entry-facts.ts";

test.each([
  {
    title: "is aborted when the client left, at once: no time",
    facts: { responseCode: 0, flags: ["downstreamConnectionTermination"], durationMs: 30 },
    class: "aborted",
    latencyMs: undefined,
  },
  {
    title: "is aborted when the client left after a long wait: the wait counts as slow",
    facts: { responseCode: 0, flags: ["downstreamConnectionTermination"], durationMs: 4_000 },
    class: "aborted",
    latencyMs: 4_000,
  },
  {
    title: "is aborted when an HTTP/2 client reset the stream, as one does that cancels",
    facts: { responseCode: 0, flags: ["downstreamRemoteReset"], durationMs: 30 },
    class: "aborted",
    latencyMs: undefined,
  },
  {
    title: "fails when the upstream failed and the client left then",
    facts: { responseCode: 0, flags: ["upstreamRemoteReset", "downstreamConnectionTermination"] },
    class: "failed",
    latencyMs: 12,
  },
  {
    title: "is Envoy's own reply when the client never finished its request, which is no fault of the variant",
    facts: { responseCode: 408, flags: ["streamIdleTimeout"], upstreamMs: undefined },
    class: "local",
    latencyMs: undefined,
  },
  {
    title: "is Envoy's own reply when the client did not finish its request in time, which has no flag",
    facts: { responseCode: 408, upstreamMs: undefined },
    class: "local",
    latencyMs: undefined,
  },
  { title: "is ok when the upstream itself answers 408", facts: { responseCode: 408 }, class: "ok", latencyMs: 12 },
  ...[400, 200, 0].map((responseCode) => ({
    title: `is aborted when the client broke the protocol, whatever Envoy answered (${responseCode}), and however late: no time`,
    facts: { responseCode, flags: ["downstreamProtocolError"], durationMs: 4_000 },
    class: "aborted",
    latencyMs: undefined,
  })),
  {
    title: "fails when the upstream failed and the client broke the protocol then",
    facts: { responseCode: 0, flags: ["upstreamRemoteReset", "downstreamProtocolError"] },
    class: "failed",
    latencyMs: 12,
  },
  {
    title: "fails for the variant tried first when another attempt saved it and the client broke the protocol then",
    facts: { attempts: 2, upstreamCluster: "stable", flags: ["downstreamProtocolError"] },
    class: "failed",
    latencyMs: undefined,
  },
  {
    title: "is aborted when the client left before any upstream was tried",
    facts: { upstreamReached: false, attempts: 0, responseCode: 0, flags: ["downstreamConnectionTermination"], upstreamMs: undefined },
    class: "aborted",
    latencyMs: undefined,
  },
])("a request whose client does not stay to its end, or does it wrong, $title", ({ facts, class: outcome, latencyMs }) => {
  expect(attribute(entry(facts))).toMatchObject({ kind: "outcome", variant: "canary", class: outcome, latencyMs });
});
