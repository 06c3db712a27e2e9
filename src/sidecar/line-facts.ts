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
 *     %UPSTREAM_HOST%                                  whether there was one, and which half of all it is in
 *     %COMMON_DURATION(US_TX_BEG:US_RX_END:ns)%
 *     %COMMON_DURATION(DS_RX_BEG:DS_TX_END:ns)%
 *     %DURATION%                                       whole milliseconds
 *     %RESP(grpc-status):4%
 *     %TRAILER(grpc-status):4%
 *     %UPSTREAM_CLUSTER_RAW%
 *     %COMMON_DURATION(DS_RX_BEG:DS_TX_BEG:ns)%        may be absent, as in configurations of before
 *
 * No header can hold a line's end, so an upstream cannot write into another field, and what it writes is cut.
 */
const FIELDS = 13;

/** What Envoy writes for what is absent. */
const ABSENT = "-";

const NS_PER_MS = 1_000_000;

const DASH = "-".charCodeAt(0);
const ZERO = "0".charCodeAt(0);

/** Reads lines of the log; most of their fields where they stand, because pieces of text cost more than what is read of them. */
export class LineReader {
  readonly #outcomes = new OutcomeReader();
  #line = "";
  #from = 0;
  #to = -1;

  /** What attribution reads of one line. Throws on what Envoy does not write by this form. */
  read(line: string): EntryFacts {
    this.#line = line;
    this.#to = -1;
    const outcome = this.#text();
    const also = this.#text();
    const decided = outcome === undefined ? undefined : this.#outcomes.read(outcome, also);
    const responseCode = this.#number() ?? 0;
    const flags = this.#text();
    const attempts = this.#number() ?? 0;
    this.#next();
    const upstreamReached = !this.#isAbsent();
    const isOddHost = upstreamReached ? this.#isOdd() : undefined;
    const upstreamNs = this.#number();
    // The first ends with the last byte to the client, and with more digits; the second with the request, and cut to milliseconds.
    const durationMs = Math.max((this.#number() ?? 0) / NS_PER_MS, this.#number() ?? 0);
    const header = this.#text();
    const grpcStatus = grpcStatusOf(this.#text(), header);
    const cluster = this.#text();
    const firstByteNs = this.#to === line.length ? undefined : this.#number();
    if (this.#to !== line.length) throw formFault(line);
    return {
      decided,
      // Without a host it is only the cluster that was asked for one.
      upstreamCluster: upstreamReached && cluster !== undefined ? ownCluster(cluster, decided?.cluster) : "",
      upstreamReached,
      isOddHost,
      attempts,
      responseCode,
      grpcStatus,
      flags: flagsOf(flags ?? ABSENT),
      upstreamMs: upstreamNs === undefined ? undefined : upstreamNs / NS_PER_MS,
      durationMs,
      firstByteMs: firstByteNs === undefined ? undefined : firstByteNs / NS_PER_MS,
    };
  }

  #next(): void {
    if (this.#to === this.#line.length) throw formFault(this.#line);
    this.#from = this.#to + 1;
    const to = this.#line.indexOf("\n", this.#from);
    this.#to = to === -1 ? this.#line.length : to;
  }

  #isAbsent(): boolean {
    return this.#to - this.#from === 1 && this.#line.charCodeAt(this.#from) === DASH;
  }

  /** Parity of the field's letters. */
  #isOdd(): boolean {
    let parity = 0;
    for (let at = this.#from; at < this.#to; at += 1) parity ^= this.#line.charCodeAt(at);
    return (parity & 1) === 1;
  }

  #text(): string | undefined {
    this.#next();
    return this.#isAbsent() ? undefined : this.#line.slice(this.#from, this.#to);
  }

  #number(): number | undefined {
    this.#next();
    if (this.#isAbsent()) return undefined;
    let number = this.#from === this.#to ? Number.NaN : 0;
    for (let at = this.#from; at < this.#to; at += 1) {
      const digit = this.#line.charCodeAt(at) - ZERO;
      number = digit >= 0 && digit <= 9 ? number * 10 + digit : Number.NaN;
    }
    if (Number.isNaN(number)) throw new Error(`${JSON.stringify(this.#line.slice(this.#from, this.#to).slice(0, 100))} is not a number`);
    return number;
  }
}

const formFault = (line: string): Error => new Error(`an outcome has ${FIELDS} lines, not ${line.split("\n").length}`);

/**
 * Of an aggregate cluster the line knows the name, where the access log stream knows the cluster that the host belongs to. One that is
 * called `X-or-nobody` is X, and behind it nobody: a refused request, which counts for X too.
 */
const AGGREGATE = "-or-nobody";

const ownCluster = (name: string, decided: string | undefined): string =>
  name !== decided && name.endsWith(AGGREGATE) ? name.slice(0, -AGGREGATE.length) : name;
