/** What a regular expression of a rule costs, beside JavaScript's own: `npm run bench:regex`. */
import process from "node:process";
import { MAX_REGEX_VALUE } from "../../src/contract/conditions.ts";
import { compileValueTest } from "../../src/core/decide/value-tests.ts";
import { median, note } from "./wire/bench.ts";
import { readFlags } from "./wire/flags.ts";
import { printReport } from "./wire/report.ts";

const ROUNDS = 9;
const ROUND_MS = 100;

/** The last ones never end in JavaScript's own engine at such a length, so it is not asked. */
const CASES: readonly { title: string; regex: string; value: string; isEvil?: true }[] = [
  { title: "a mail address", regex: "[a-z.]+@shop\\.example", value: "ann.b@shop.example" },
  { title: "another mail address", regex: "[a-z.]+@shop\\.example", value: "ann.b@other.example" },
  { title: "one of some words", regex: "(beta|canary|next)-[0-9]+", value: "canary-17" },
  { title: "4 KiB, met", regex: "[a-z]+", value: "a".repeat(MAX_REGEX_VALUE) },
  { title: "4 KiB, (a+)+b", regex: "(a+)+b", value: "a".repeat(MAX_REGEX_VALUE), isEvil: true },
  { title: "4 KiB, (.*a){12}b", regex: "(.*a){12}b", value: "a".repeat(MAX_REGEX_VALUE), isEvil: true },
  { title: "4 KiB, ((a?){20}a{20})*b", regex: "((a?){20}a{20})*b", value: "a".repeat(MAX_REGEX_VALUE), isEvil: true },
];

/** Microseconds for one call, the median of some rounds. */
function timeOf(call: () => boolean): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const beginMs = performance.now();
    let calls = 0;
    while (performance.now() - beginMs < ROUND_MS) {
      call();
      calls += 1;
    }
    return ((performance.now() - beginMs) / calls) * 1_000;
  });
  return median(rounds);
}

const flags = readFlags(process.argv.slice(2), {});
const rows = CASES.map(({ title, regex, value, isEvil }) => {
  const ours = compileValueTest({ regex });
  const native = new RegExp(`^(?:${regex})$`);
  note(title);
  const [oursUs, nativeUs] = [timeOf(() => ours(value)), isEvil === true ? Number.NaN : timeOf(() => native.test(value))];
  return { title, cells: [title, oursUs.toFixed(2), isEvil === true ? "no end" : nativeUs.toFixed(2)], oursUs, nativeUs };
});
printReport(
  {
    command: "npm run bench:regex",
    versions: [`Node ${process.versions.node}`],
    columns: ["expression", "Serin µs", "RegExp µs"],
    rows: rows.map(({ cells }) => cells),
    remarks: [`One test of a value, medians of ${ROUNDS} rounds of ${ROUND_MS} ms. RegExp is not asked where it would go on for hours.`],
    details: rows,
  },
  flags.output,
);
