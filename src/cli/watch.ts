import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { JudgeRecordSchema, LiveStateSchema } from "../contract/live.ts";
import { SUBJECTS } from "../contract/names.ts";
import { type NatsLink, subscribeSafely } from "../io/nats.ts";
import { decodeStored, listLive, readLive, readPlan } from "../io/store.ts";
import { duration, share } from "../told/format.ts";
import { type PlanShape, phaseText, planShape } from "../told/phase-text.ts";
import { withNats } from "./connection.ts";
import { type CliParts, stopped } from "./parts.ts";
import { noSuchRollout } from "./status.ts";

export interface WatchFlags {
  readonly nats: string;
  readonly until?: "promoted" | "ended";
  readonly timeout?: number;
  readonly json?: boolean;
}

interface WatchOptions {
  readonly name: string | undefined;
  readonly until: "promoted" | "ended" | undefined;
  readonly timeoutMs: number | undefined;
  readonly json: boolean;
}

/** Prints each change of a rollout; exits by `--until`, else at the signal. */
export function watch(name: string | undefined, flags: WatchFlags, parts: CliParts): Promise<ExitCode> {
  return withNats(flags.nats, async (link) => {
    if (name !== undefined && (await readLive(link, name)) === undefined) throw noSuchRollout(name);
    return watchUntil(link, { name, until: flags.until, timeoutMs: flags.timeout, json: flags.json === true }, parts);
  });
}

/** Follows until the rollout has ended as asked (0), was rolled back (3) or the time is over (4). */
export async function watchUntil(link: NatsLink, options: WatchOptions, parts: CliParts): Promise<ExitCode> {
  const { name, until, timeoutMs, json } = options;
  const lastLine = new Map<string, string>();
  let finish: (code: ExitCode) => void = () => undefined;
  const finished = new Promise<ExitCode>((resolve) => {
    finish = resolve;
  });
  const say = (key: string, text: string, value: object): void => {
    if (lastLine.get(key) === text) return;
    lastLine.set(key, text);
    parts.out(json ? `${JSON.stringify(value)}\n` : `${new Date(parts.nowMs()).toISOString()} ${text}\n`);
  };
  const shapes = new Map<string, PlanShape>();
  const showLive = (data: Uint8Array, subject: string): void => {
    const state = decodeStored(LiveStateSchema, { subject, sequence: 0, data });
    const { plan, shareBp, rollout } = state;
    const phase = phaseText({ plan, ...(shapes.get(rollout) ?? planShape(undefined)) });
    // The phase of a ramp is its share.
    const text = `${rollout}: ${phase}${plan.phase === "ramp" ? "" : `, share ${share(shareBp)}`}, run ${plan.run}`;
    say(`live ${rollout}`, text, { type: "live", rollout, plan, shareBp });
    if (until === undefined || (name !== undefined && rollout !== name)) return;
    const code = endOf(plan.phase, until);
    if (code !== undefined) finish(code);
  };
  const showJudge = (data: Uint8Array, subject: string): void => {
    const { rollout, verdict, totals, shareSeenBp } = decodeStored(JudgeRecordSchema, { subject, sequence: 0, data });
    if (verdict === null) return;
    const text = `${rollout}: ${verdict.verdict}, seen ${share(shareSeenBp)}, safe ${share(verdict.safeShareBp)}: ${verdict.reason}`;
    say(`judge ${rollout}`, text, { type: "verdict", rollout, verdict, totals, shareSeenBp });
  };
  const onError = (error: unknown): void => parts.error(`${error instanceof Error ? error.message : String(error)}\n`);
  const learn = async (rollout: string): Promise<void> => {
    const plan = await readPlan(link, rollout);
    shapes.set(rollout, planShape(plan?.rollout));
  };
  const states = name === undefined ? await listLive(link) : [await readLive(link, name)];
  await Promise.all(states.filter((state) => state !== undefined).map((state) => learn(state.rollout)));
  const wanted = name ?? "*";
  const stops = [
    subscribeSafely(link, SUBJECTS.push(SUBJECTS.live(wanted)), ({ data, subject }) => showLive(data, subject), onError),
    subscribeSafely(link, SUBJECTS.push(SUBJECTS.judge(wanted)), ({ data, subject }) => showJudge(data, subject), onError),
  ];
  for (const state of states) if (state !== undefined) showLive(Buffer.from(JSON.stringify(state)), "store");
  const giveUp = (): void => {
    parts.error(`${name ?? "rollouts"}: not ${until ?? "ended"} within ${duration(timeoutMs ?? 0)}; only the wait is over\n`);
    finish(EXIT.timedOut);
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(giveUp, timeoutMs);
  void stopped(parts.signal).then(() => finish(EXIT.done));
  try {
    return await finished;
  } finally {
    clearTimeout(timer);
    for (const stop of stops) stop();
  }
}

/** Undefined while the wait goes on. */
function endOf(phase: string, until: "promoted" | "ended"): ExitCode | undefined {
  if (phase === "rolledBack") return EXIT.rolledBack;
  if (phase === "promoted" && until === "promoted") return EXIT.done;
  return phase === "handedOver" ? EXIT.done : undefined;
}
