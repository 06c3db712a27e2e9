import { JetStreamApiError } from "@nats-io/jetstream";
import { expect, test } from "vitest";
import { isTooFewServers, isUnanswered } from "../../../src/io/made-streams.ts";

test.each([
  { status: 503, code: 10_008, description: "JetStream system temporarily unavailable", away: true, tooFew: false },
  { status: 500, code: 10_118, description: "stream is offline", away: true, tooFew: false },
  { status: 503, code: 10_023, description: "insufficient resources", away: false, tooFew: false },
  { status: 503, code: 10_039, description: "JetStream not enabled for account", away: false, tooFew: false },
  { status: 400, code: 10_005, description: "no suitable peers for placement", away: false, tooFew: true },
  { status: 500, code: 10_074, description: "replicas > 1 not supported in non-clustered mode", away: false, tooFew: true },
])("of `$description` servers are away: $away, too few: $tooFew", ({ status, code, description, away, tooFew }) => {
  const error = new JetStreamApiError({ code: status, err_code: code, description });
  expect([isUnanswered(error), isTooFewServers(error)]).toEqual([away, tooFew]);
});
