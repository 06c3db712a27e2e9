import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { AccessLogReader } from "../../../src/sidecar/wire/access-log.ts";
import { WireError } from "../../../src/sidecar/wire/cursor.ts";
import { EnvoyStatReader } from "../../../src/sidecar/wire/envoy-counters.ts";
import { LogLineReader } from "../../../src/sidecar/wire/log-lines.ts";
import { KIND, RequestReader } from "../../../src/sidecar/wire/request.ts";
import { EXPORT_LOGS_REQUEST, exportOf, logsCodec, plainLines } from "../../support/log-lines.ts";
import { EXPORT_REQUEST, exportRequests, otlpCodec, plainGrowth } from "../../support/otlp-counters.ts";
import { CLAIM_PATHS, plainEntries, plainFacts } from "../../support/plain-wire.ts";
import { randomOf } from "../../support/random.ts";
import { PROCESSING_REQUEST, referenceCodec, STREAM_ACCESS_LOGS } from "../../support/reference-codec.ts";
import { accessLogs, processingRequests } from "../../support/wire-inputs.ts";
import { type Choose, mutateBytes, mutateTree } from "../../support/wire-mutation.ts";

/** Together more than 100,000; requests are what everything hangs on. */
const CASES = { requests: 70_000, accessLogs: 40_000, counters: 20_000, lines: 20_000 };
/** Some seconds on a quiet machine; decoding the plain way takes most of it. */
const DEADLINE_MS = 180_000;

interface Pair {
  readonly type: string;
  readonly seeds: readonly Buffer[];
  /** Throws where the bytes are no message. */
  plain(bytes: Buffer): unknown;
  fast(bytes: Buffer): unknown;
}

/** Compares the two on many messages; tells how many structure-aware ones decoded, and the first on which the two differ. */
function compare(cases: number, { type, seeds, plain, fast }: Pair, choose: Choose) {
  let alive = 0;
  let refused = 0;
  let stricter = 0;
  for (let index = 0; index < cases; index += 1) {
    const seed = seeds[choose(seeds.length)] ?? Buffer.alloc(0);
    const isTree = index % 5 < 3;
    const bytes = isTree ? mutateTree(seed, type, choose) : mutateBytes(seed, choose);
    const expected = outcomeOf(plain, bytes);
    const found = outcomeOf(fast, bytes);
    if (found === NO_VALUE && expected !== REFUSED) {
      stricter += 1;
      continue;
    }
    if (!isDeepStrictEqual(found === NO_VALUE ? REFUSED : found, expected)) return { differing: bytes.toString("hex"), expected, found };
    if (expected === REFUSED) refused += 1;
    else if (isTree) alive += 1;
  }
  return { alive, refused, stricter };
}

const REFUSED = "refused";
/**
 * An entry of a map without its value is refused at once. The reference stumbles over it too, but not where a later entry of the same
 * key, or a later copy of the whole map, hides it: there alone the two may differ.
 */
const NO_VALUE = "an entry of a map has no value";

function outcomeOf(read: (bytes: Buffer) => unknown, bytes: Buffer): unknown {
  try {
    return read(bytes);
  } catch (error) {
    // Which fault it is may differ; that there is one may not.
    return error instanceof WireError && error.message === NO_VALUE ? NO_VALUE : REFUSED;
  }
}

const chooser = (seed: number): Choose => {
  const random = randomOf(seed);
  return (below) => Math.floor(random() * below);
};

const kindName = (kind: number): string | undefined => Object.entries(KIND).find(([, number]) => number === kind && number !== 0)?.[0];

test(
  `the reader of requests agrees with the reference decoder on ${CASES.requests} mutated messages, and refuses what it refuses`,
  () => {
    const codec = referenceCodec(PROCESSING_REQUEST);
    const reader = new RequestReader();
    const choose = chooser(20_261);
    const result = compare(
      CASES.requests,
      {
        type: PROCESSING_REQUEST,
        seeds: processingRequests(choose).map(codec.encode),
        plain: (bytes) => plainFacts(codec.decode(bytes)),
        fast(bytes) {
          const kind = kindName(reader.read(bytes, 0, bytes.length));
          const { host, path, method, isSession, clientAddress } = reader;
          return {
            kind,
            host,
            path,
            method,
            isSession,
            headers: reader
              .names()
              .filter((name) => /^[!-~]*$/.test(name))
              .map((name) => [name, reader.headers(name)]),
            claims: CLAIM_PATHS.map((path) => reader.claims(path)),
            clientAddress,
          };
        },
      },
      choose,
    );
    expect(result).toEqual({ alive: expect.any(Number), refused: expect.any(Number), stricter: expect.any(Number) });
    expect(result.stricter).toBeLessThan(CASES.requests / 200);
    expect(result.alive).toBeGreaterThan(CASES.requests / 2);
    expect(result.refused).toBeGreaterThan(CASES.requests / 20);
  },
  DEADLINE_MS,
);

test(
  `the reader of access logs agrees with the reference decoder on ${CASES.accessLogs} mutated messages, and refuses what it refuses`,
  () => {
    const codec = referenceCodec(STREAM_ACCESS_LOGS, { enums: Number });
    const reader = new AccessLogReader();
    const choose = chooser(20_262);
    const result = compare(
      CASES.accessLogs,
      {
        type: STREAM_ACCESS_LOGS,
        seeds: accessLogs(choose).map(codec.encode),
        plain: (bytes) => plainEntries(codec.decode(bytes)),
        fast: (bytes) =>
          reader.read(bytes, 0, bytes.length).map((entry) => ({ ...entry, isOddAddress: false, flags: entry.flags.toSorted() })),
      },
      choose,
    );
    expect(result).toEqual({ alive: expect.any(Number), refused: expect.any(Number), stricter: expect.any(Number) });
    expect(result.stricter).toBeLessThan(CASES.accessLogs / 200);
    expect(result.alive).toBeGreaterThan(CASES.accessLogs / 2);
    expect(result.refused).toBeGreaterThan(CASES.accessLogs / 20);
  },
  DEADLINE_MS,
);

test(
  `the reader of Envoy's counters agrees with the reference decoder on ${CASES.counters} mutated messages, and refuses what it refuses`,
  () => {
    const codec = otlpCodec();
    const reader = new EnvoyStatReader();
    const choose = chooser(20_263);
    const result = compare(
      CASES.counters,
      {
        type: EXPORT_REQUEST,
        seeds: exportRequests(choose).map(codec.encode),
        plain: (bytes) => plainGrowth(codec.decode(bytes)),
        fast: (bytes) => reader.read(bytes, 0, bytes.length),
      },
      choose,
    );
    expect(result).toEqual({ alive: expect.any(Number), refused: expect.any(Number), stricter: 0 });
    expect(result.alive).toBeGreaterThan(CASES.counters / 2);
    expect(result.refused).toBeGreaterThan(CASES.counters / 20);
  },
  DEADLINE_MS,
);

test(
  `the reader of lines agrees with the reference decoder on ${CASES.lines} mutated messages, and refuses what it refuses`,
  () => {
    const codec = logsCodec(EXPORT_LOGS_REQUEST);
    const reader = new LogLineReader();
    const choose = chooser(20_264);
    const line = (): string => "0000000f:--:1:canary:grüße:new\n200\n-".slice(0, choose(60)) + "x".repeat(choose(80));
    const requests = Array.from({ length: 40 }, () => exportOf(Array.from({ length: choose(5) }, line)));
    const result = compare(
      CASES.lines,
      {
        type: EXPORT_LOGS_REQUEST,
        seeds: requests.map(codec.encode),
        plain: (bytes) => plainLines(codec.decode(bytes)),
        fast: (bytes) => reader.read(bytes, 0, bytes.length),
      },
      choose,
    );
    expect(result).toEqual({ alive: expect.any(Number), refused: expect.any(Number), stricter: 0 });
    expect(result.alive).toBeGreaterThan(CASES.lines / 2);
    expect(result.refused).toBeGreaterThan(CASES.lines / 20);
  },
  DEADLINE_MS,
);
