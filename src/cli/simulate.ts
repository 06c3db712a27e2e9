import { SerinError, UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import type { Rollout } from "../contract/rollout.ts";
import { type Fault, readFault } from "../core/simulate/faults.ts";
import { randomOf } from "../core/simulate/random.ts";
import { type RunResult, type Service, simulateRun } from "../core/simulate/run.ts";
import { summaryOf } from "../core/simulate/summary.ts";
import { createSlices, type Slices } from "../io/slices.ts";
import { oneRollout } from "./documents.ts";
import type { CliParts } from "./parts.ts";
import { barText, ERASE_LINE } from "./progress.ts";
import { type SimulatedCase, type Simulation, simulationText } from "./simulation-text.ts";

export interface SimulateFlags {
  readonly file: string;
  /** Requests a second. */
  readonly rps: number;
  readonly fault: readonly string[];
  readonly runs: number;
  readonly perUser: number;
  /** Part of stable's requests that fail, 0…1. */
  readonly errors: number;
  /** Median time of a request, in milliseconds. */
  readonly latency: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** Tells what a rollout would do: how long a good canary takes, whom a fault would harm, and how likely it is missed. */
export async function simulate(name: string | undefined, flags: SimulateFlags, parts: CliParts): Promise<ExitCode> {
  if (flags.latency < 1) throw new UsageError("--latency 0: no request takes no time; write at least 1ms");
  const faults = flags.fault.map(faultOf);
  const rollout = await oneRollout(flags.file, name, "simulate");
  refuseOthers(rollout);
  const { rps: requestsPerSecond, errors: failing, latency: medianMs, runs, perUser: requestsPerUser } = flags;
  const service = { requestsPerSecond, failing, medianMs };
  const cases: SimulatedCase[] = [];
  const all = [undefined, ...faults];
  const pause = createSlices();
  for (const [index, fault] of all.entries()) {
    const show = (done: number): void => drawBar(parts, (index + done) / all.length, fault?.text ?? "a good canary");
    const results = await runsOf({ rollout, service, fault }, flags, { show, pause, signal: parts.signal });
    const summary = summaryOf(results, { fromMs: fault?.fromMs ?? 0, requestsPerUser });
    cases.push({ fault: fault?.text ?? null, ...summary });
  }
  if (parts.columns() !== undefined) parts.error(ERASE_LINE);
  const simulation: Simulation = { rollout: rollout.name, ...service, runs, requestsPerUser, cases };
  parts.out(flags.json === true ? `${JSON.stringify(simulation)}\n` : simulationText(simulation));
  return EXIT.done;
}

const WHY_NOT = {
  blueGreen: "who leads on from a preview is no matter of chance, and then everyone has the new version at once",
  abTest: "the shares of a test do not move",
  toggle: "a toggle stays at its share",
  rolling: "how many users a group of sidecars has stands in no file",
} as const;

/** Only shares that grow by evidence can be simulated. */
function refuseOthers({ name, strategy }: Rollout): void {
  if ("use" in strategy || strategy.type === "canary" || strategy.type === "mirror") return;
  throw new UsageError(`${name} is no canary: ${WHY_NOT[strategy.type]}; simulate one with stages or a ramp`);
}

function faultOf(text: string): Fault {
  const read = readFault(text);
  if ("fault" in read) return read.fault;
  throw new UsageError(`--fault "${text}": ${read.problem}; ${read.fix}`);
}

interface Case {
  readonly rollout: Rollout;
  readonly service: Service;
  readonly fault: Fault | undefined;
}

interface Watch {
  /** Part of the runs that are done. */
  show(done: number): void;
  readonly pause: Slices;
  readonly signal: AbortSignal;
}

/** All runs of a case; each run of another case meets the same chance. */
async function runsOf({ rollout, service, fault }: Case, { runs, seed }: SimulateFlags, watch: Watch): Promise<RunResult[]> {
  const results: RunResult[] = [];
  while (results.length < runs) {
    await watch.pause();
    if (watch.signal.aborted) throw new SerinError("STOPPED", EXIT.ourError, "stopped before the end; nothing is left behind");
    watch.show(results.length / runs);
    results.push(simulateRun(rollout, service, fault, randomOf(seed * runs + results.length)));
  }
  return results;
}

function drawBar(parts: CliParts, done: number, what: string): void {
  const columns = parts.columns();
  if (columns !== undefined) parts.error(`${ERASE_LINE}${barText(done, what, columns)}`);
}
