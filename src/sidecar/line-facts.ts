import type { EntryFacts } from "./attribution.ts";
import { grpcStatusOf } from "./entry-facts.ts";
import { OutcomeReader } from "./wire/outcome.ts";
import { flagsOf } from "./wire/response-flags.ts";

/**
 * What stands in a line of the log, one below the other, as envoy/envoy.yaml has them:
 *
 *     %DYNAMIC_METADATA(serin:outcome)%                what the sidecar decided
 *     %DYNAMIC_METADATA(serin:also)%                   and of rollouts that only set tags
 *     %RESPONSE_CODE%
 *     %RESPONSE_FLAGS%                                 by their short names
 *     %UPSTREAM_REQUEST_ATTEMPT_COUNT%
 *     %UPSTREAM_HOST%                                  whether there was one
 *     %COMMON_DURATION(US_TX_BEG:US_RX_END:ns)%
 *     %COMMON_DURATION(DS_RX_BEG:DS_TX_END:ns)%
 *     %DURATION%                                       whole milliseconds
 *     %RESP(grpc-status):4%
 *     %TRAILER(grpc-status):4%
 *     %UPSTREAM_CLUSTER_RAW%
 *
 * No header can hold a line's end, so an upstream cannot write into another field, and what it writes is cut.
 */
const FIELDS = 12;

/** What Envoy writes for what is absent. */
const ABSENT = "-";

const NS_PER_MS = 1_000_000;

/** Reads lines of the log. */
export class LineReader {
  readonly #outcomes = new OutcomeReader();

  /** What attribution reads of one line. Throws on what Envoy does not write by this form. */
  read(line: string): EntryFacts {
    const fields = line.split("\n");
    const [outcome, also, code, flags, attempts, host, upstreamNs, downstreamNs, wholeMs, headerStatus, trailerStatus, cluster] = fields;
    if (cluster === undefined || fields.length !== FIELDS) throw new Error(`an outcome has ${FIELDS} lines, not ${fields.length}`);
    const decided = outcome === undefined || outcome === ABSENT ? undefined : this.#outcomes.read(outcome, present(also));
    const sentAndReceivedNs = numberIn(upstreamNs);
    const tries = numberIn(attempts) ?? 0;
    return {
      decided,
      // Without a host it is only the cluster that was asked for one.
      upstreamCluster: host === ABSENT || cluster === ABSENT ? "" : ownCluster(cluster, decided?.cluster),
      upstreamReached: host !== ABSENT,
      attempts: tries,
      responseCode: numberIn(code) ?? 0,
      grpcStatus: grpcStatusOf(present(trailerStatus), present(headerStatus)),
      flags: flagsOf(flags ?? ABSENT),
      upstreamMs: sentAndReceivedNs === undefined ? undefined : sentAndReceivedNs / NS_PER_MS,
      // The first ends with the last byte to the client, and with more digits; the second with the request, and cut to milliseconds.
      durationMs: Math.max((numberIn(downstreamNs) ?? 0) / NS_PER_MS, numberIn(wholeMs) ?? 0),
    };
  }
}

const present = (text: string | undefined): string | undefined => (text === ABSENT ? undefined : text);

function numberIn(text = ""): number | undefined {
  if (text === ABSENT) return undefined;
  const number = Number(text);
  if (text === "" || !(number >= 0)) throw new Error(`${JSON.stringify(text.slice(0, 100))} is not a number`);
  return number;
}

/**
 * Of an aggregate cluster the line knows the name, where the access log stream knows the cluster that the host belongs to. One that is
 * called `X-or-nobody` is X, and behind it nobody: a refused request, which counts for X too.
 */
const AGGREGATE = "-or-nobody";

const ownCluster = (name: string, decided: string | undefined): string =>
  name !== decided && name.endsWith(AGGREGATE) ? name.slice(0, -AGGREGATE.length) : name;
