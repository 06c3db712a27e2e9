/** Which judge catches bad canaries with the fewest harmed users, and leaves the good ones alone: `npm run bench:judging`. */
import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { note } from "../wire/bench.ts";
import { readFlags } from "../wire/flags.ts";
import { printReport } from "../wire/report.ts";
import { type Row, rowOf } from "./suite/rows.ts";
import type { Run } from "./suite/run.ts";
import { readSuite, type Suite, scenarioOf } from "./suite/scenario.ts";
import { badTable, goodTable, lineOf, subjectOf, summaryTable, type Table } from "./suite/tables.ts";
import { inProcesses, type Task } from "./suite/work.ts";

/** So many seeds are one task: few enough that both cores end together. */
const SEEDS = 25;

const given = fileURLToPath(new URL("suite/scenarios.json", import.meta.url));
const defaults = {
  runs: "200",
  aa: "500",
  only: ".",
  policies: "flagger,argo,kayenta,naive,serin",
  seed0: "0",
  suite: given,
  jobs: String(cpus().length),
  out: "",
};
const flags = readFlags(process.argv.slice(2), defaults);
const policies = flags.list("policies");
const seed0 = Number(flags.text("seed0"));

interface Work {
  readonly file: string;
  readonly suite: Suite;
  readonly scenario: Suite["scenarios"][number];
  readonly runs: number;
  /** By seed, then by judge. */
  readonly done: Run[][];
}

async function workOf(file: string): Promise<Work[]> {
  const suite = await readSuite(file);
  const only = new RegExp(flags.text("only"));
  return suite.scenarios
    .filter(({ id }) => only.test(id))
    .map((scenario) => {
      const runs = flags.count(scenarioOf(suite, scenario).truth === "good" ? "aa" : "runs");
      return { file, suite, scenario, runs, done: [] };
    });
}

const tasksOf = ({ file, scenario, runs }: Work): Task[] =>
  Array.from({ length: Math.ceil(runs / SEEDS) }, (_, index) => ({
    suiteFile: file,
    scenario: scenario.id,
    firstSeed: seed0 + 1 + index * SEEDS,
    seeds: Math.min(SEEDS, runs - index * SEEDS),
    policies: [...policies],
  }));

const rowsOf = ({ suite, scenario, done }: Work): Row[] =>
  policies.map((policy, index) =>
    rowOf(
      scenarioOf(suite, scenario),
      policy,
      done.map((runs) => runs[index]).filter((run) => run !== undefined),
    ),
  );

const work = (await Promise.all(flags.list("suite").map(workOf))).flat();
const left = new Map(work.map((each) => [each, each.runs]));
const owners = new Map(work.flatMap((each) => tasksOf(each).map((task) => [task, each] as const)));
await inProcesses([...owners.keys()], flags.count("jobs"), (task, runs) => {
  const owner = owners.get(task);
  if (owner === undefined) return;
  for (const [index, run] of runs.entries()) owner.done[task.firstSeed - seed0 - 1 + index] = run;
  const open = (left.get(owner) ?? 0) - task.seeds;
  left.set(owner, open);
  if (open === 0) for (const row of rowsOf(owner)) note(lineOf(row));
});

const rows = work.flatMap(rowsOf);
const subject = subjectOf(rows);
const tables: Table[] = [summaryTable(rows), ...(subject === undefined ? [] : [badTable(rows, subject), goodTable(rows, subject)])];
const typed = process.argv.slice(2).filter((argument) => argument !== "--markdown" && argument !== "--json");
for (const { title, columns, rows: cells } of tables) {
  printReport(
    {
      command: ["npm run bench:judging --", ...typed].join(" "),
      versions: [`Node ${process.versions.node}`, title],
      columns,
      rows: cells,
      remarks: [""],
      details: rows,
    },
    flags.output,
  );
}
if (flags.text("out") !== "") {
  await writeFile(
    flags.text("out"),
    `${JSON.stringify({ runs: { good: flags.count("aa"), bad: flags.count("runs") }, seed0, rows }, null, 1)}\n`,
  );
}
