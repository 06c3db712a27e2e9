import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LATENCY_BOUNDS_MS } from "../../../src/contract/names.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { tickOf } from "../../support/tick-inputs.ts";
import { type Ran, runWith } from "./cli-parts.ts";

const EXAMPLES = join(packageRoot(), "docs", "examples");
const CHECKOUT = join(EXAMPLES, "checkout.yaml");
const START = JSON.stringify({ tickS: 5, bounds: LATENCY_BOUNDS_MS });

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  await Promise.resolve();
  yield* lines;
}

const replay = (lines: readonly string[], ...args: string[]): Promise<Ran> =>
  runWith(["replay", "-f", CHECKOUT, ...args], { input: () => each(lines) });

const lineOf = (t: number, canaryFails?: number): string =>
  JSON.stringify(tickOf(t, { weight: 0.01, ...(canaryFails !== undefined && { canaryFails }) }));

/** What each line of output says, but for the record. */
const said = ({ out }: Ran): unknown[] =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const { record, ...rest } = JSON.parse(line);
      return { ...rest, sameVerdict: record.verdict === rest.verdict };
    });

describe("`serin replay`", () => {
  test("prints a JSON line for each tick, and how it ended on stderr", async () => {
    const ran = await replay([START, lineOf(0), lineOf(1), "", lineOf(2, 1), lineOf(3, 1)]);
    expect([ran.code, said(ran)]).toEqual([
      0,
      [
        { t: 0, verdict: "hold", action: "hold", share: 0.01, sameVerdict: true },
        { t: 1, verdict: "hold", action: "hold", share: 0.01, sameVerdict: true },
        { t: 2, verdict: "rollback", action: "rollback", share: 0, sameVerdict: true },
        { t: 3, verdict: "rollback", action: "hold", share: 0, sameVerdict: true },
      ],
    ]);
    expect(ran.error).toMatch(
      /^checkout: 4 ticks judged, rollback at tick 2 after 15 s: errors .* on canary .*; in the end rollback, share 0 %\n$/,
    );
  });

  test("says the same with and without the name, and with --json", async () => {
    const lines = [START, lineOf(0)];
    const plain = await replay(lines);
    expect([(await replay(lines, "--json")).out, (await replay(lines, "checkout")).out]).toEqual([plain.out, plain.out]);
  });

  test("reads nothing of a tick but what is named: what was true stays out", async () => {
    const plain = await replay([START, lineOf(0)]);
    const more = await replay([START, JSON.stringify({ ...tickOf(0, { weight: 0.01 }), truth: { harmed: 9 }, note: "x" })]);
    expect(more).toEqual(plain);
  });

  test("counts a tick that comes twice, late or out of order once, and says so, as it says gaps", async () => {
    const ordered = await replay([START, lineOf(0), lineOf(1), lineOf(4), lineOf(5)]);
    const shuffled = await replay([START, lineOf(0), lineOf(1), lineOf(1), lineOf(4), lineOf(2), lineOf(5)]);
    expect([shuffled.code, shuffled.out]).toEqual([0, ordered.out]);
    expect(shuffled.error.split("\n").slice(0, 4)).toEqual([
      "line 4: tick 1 comes after tick 1, so it is late or came before; it is not counted",
      "line 5: 2 ticks are missing before tick 4; judged without",
      "line 6: tick 2 comes after tick 4, so it is late or came before; it is not counted",
      expect.stringMatching(/^checkout: 4 ticks judged, 2 not counted, 2 missing; in the end hold, share 1 %$/),
    ]);
  });

  test("the shipped example ends in a rollback", async () => {
    const lines = readFileSync(join(EXAMPLES, "ticks.jsonl"), "utf8").split("\n");
    const ran = await replay(lines);
    expect([ran.code, ran.out.match(/"action":"rollback"/g)]).toEqual([0, ['"action":"rollback"']]);
  });
});

describe("a line that is no tick is named, not counted, and ends in exit code 2", () => {
  const hist =
    "hist: 2 counts, but the bounds of the first line make 24 buckets; correct it; see `docs/reference/ticks.md` for the form of a tick";
  test.each([
    { title: "not JSON", line: '{"t":', says: "line 3: not JSON; each line is one JSON object, whole" },
    {
      title: "a missing field",
      line: '{"t":1,"sec":5,"weight":0.01,"stable":{"n":1,"errors":0}}',
      says: "line 3: canary: missing; add a mapping with n, errors",
    },
    {
      title: "a word for a number",
      line: '{"t":"one","sec":5,"weight":0.01,"stable":{"n":1,"errors":0},"canary":{"n":0,"errors":0}}',
      says: `line 3: t: "one" is not a number; write a number; see`,
    },
    {
      title: "more errors than requests",
      line: '{"t":1,"sec":5,"weight":0.01,"stable":{"n":1,"errors":2},"canary":{"n":0,"errors":0}}',
      says: "line 3: stable: more errors than requests; correct it; see",
    },
    {
      title: "another number of buckets",
      line: '{"t":1,"sec":5,"weight":0.01,"stable":{"n":1,"errors":0,"hist":[1,0]},"canary":{"n":0,"errors":0}}',
      says: `line 3: stable.${hist}`,
    },
    {
      title: "another number of buckets in a half",
      line: '{"t":1,"sec":5,"weight":0,"stable":{"n":1,"errors":0},"canary":{"n":0,"errors":0},"stable_split":[{"n":1,"errors":0},{"n":0,"errors":0,"hist":[1,0]}]}',
      says: `line 3: stable_split.1.${hist}`,
    },
  ])("$title", async ({ line, says }) => {
    const ran = await replay([START, lineOf(0), line, lineOf(2)]);
    expect([ran.code, said(ran).length, ran.error]).toEqual([2, 2, expect.stringContaining(says)]);
  });
});

describe("what cannot be replayed is refused with the fix", () => {
  test.each([
    { title: "no ticks at all", lines: [""], says: "no ticks came in; write {" },
    { title: "no first line", lines: [lineOf(0)], says: "line 1: tickS: " },
    {
      title: "bounds that fall",
      lines: ['{"tickS":5,"bounds":[2,1]}'],
      says: "line 1: bounds: [2,1] is not ascending; correct it; write {",
    },
  ])("$title", async ({ lines, says }) => {
    const ran = await replay(lines);
    expect([ran.code, ran.out, ran.error]).toEqual([2, "", expect.stringContaining(says)]);
  });

  test("a terminal in place of ticks, no file, and a file that holds another rollout", async () => {
    const [terminal, none, other] = [await runWith(["replay", "-f", CHECKOUT]), await runWith(["replay"]), await replay([START], "search")];
    expect([terminal.code, none.code, other.code]).toEqual([2, 2, 2]);
    expect(terminal.error).toContain(`no ticks come in; write \`serin replay -f ${CHECKOUT} < ticks.jsonl\``);
    expect(none.error).toContain("no rollout is named; give -f FILE");
    expect(other.error).toContain("checkout.yaml holds checkout; name one");
  });
});

describe("`serin replay --prometheus` refuses what makes no span", () => {
  const url = ["--prometheus", "http://127.0.0.1:1"];
  const [early, late] = ["2026-03-10T09:00:00Z", "2026-03-10T10:00:00Z"];
  test.each([
    { title: "no times", args: url, says: "--prometheus needs a span of time; give --from and --to" },
    { title: "times the wrong way round", args: [...url, "--from", late, "--to", early], says: `is not a --step before --to` },
    {
      title: "more steps than a server gives",
      args: [...url, "--from", early, "--to", late, "--step", "10ms"],
      says: "360000 steps are more than a server gives (11000); give a longer --step",
    },
    { title: "a time without its zone", args: [...url, "--from", "2026-03-10T09:00:00", "--to", late], says: "Write a time with its zone" },
    { title: "a time that is none", args: [...url, "--from", "tuesdayT1Z", "--to", late], says: "Write a time with its zone" },
    { title: "a run that is none", args: ["--attempt", "first"], says: "Write a whole number, at least 1." },
  ])("$title", async ({ args, says }) => {
    const ran = await replay([], ...args);
    expect([ran.code, ran.out, ran.error]).toEqual([2, "", expect.stringContaining(says)]);
  });

  test("and needs a rollout", async () => {
    const ran = await runWith(["replay", "checkout", ...url]);
    expect([ran.code, ran.error]).toEqual([
      2,
      expect.stringContaining("--prometheus needs the rollout whose plan is replayed; give -f FILE"),
    ]);
  });

  test("a server that does not answer is named, and exits as NATS does", async () => {
    const ran = await replay([], ...url, "--from", "1770000000", "--to", "1770003600");
    expect([ran.code, ran.error]).toEqual([4, expect.stringContaining("http://127.0.0.1:1/api/v1/query_range: ")]);
  });
});
