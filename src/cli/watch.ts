import type * as z from "zod";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { type JudgeRecord, JudgeRecordSchema, type LiveState, LiveStateSchema } from "../contract/live.ts";
import { SUBJECTS } from "../contract/names.ts";
import { type NatsLink, subscribeSafely } from "../io/nats.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { decodeStored, listLive, readLive, readPlanAt } from "../io/store.ts";
import { duration, share } from "../told/format.ts";
import { type PlanShape, phaseText, planShape } from "../told/phase-text.ts";
import { withNats } from "./connection.ts";
import { type CliParts, stopped } from "./parts.ts";
import { noSuchRollout } from "./status.ts";

export interface WatchFlags extends NatsFlags {
  readonly until?: "promoted" | "ended";
  readonly timeout?: number;
  readonly signWith?: string;
  readonly json?: boolean;
}

interface WatchOptions {
  readonly name: string | undefined;
  readonly until: "promoted" | "ended" | undefined;
  readonly timeoutMs: number | undefined;
  /** Signs what keys ask for. */
  readonly signWith?: string | undefined;
  readonly json: boolean;
}

/** Shows a rollout, or all, on a terminal; else prints each change. Exits by `--until`, else at the signal. */
export function watch(name: string | undefined, flags: WatchFlags, parts: CliParts): Promise<ExitCode> {
  const { until, timeout: timeoutMs, signWith, json = false } = flags;
  return withNats(flags, async (link) => {
    if (name !== undefined && (await readLive(link, name)) === undefined) throw noSuchRollout(name);
    return watchUntil(link, { name, until, timeoutMs, signWith, json }, parts);
  });
}

/** Follows until the rollout has ended as asked (0), was rolled back (3) or the time is over (4). */
export async function watchUntil(link: NatsLink, options: WatchOptions, parts: CliParts): Promise<ExitCode> {
  const { name, until, timeoutMs } = options;
  const ended = new AbortController();
  const finish = (code: ExitCode): void => ended.abort(code);
  void stopped(parts.signal).then(() => finish(EXIT.done));
  const sink = await openSink(link, options, { parts, quit: () => finish(EXIT.done) });
  const stops = [sink.stop];
  const giveUp = (): void => {
    sink.error(`${name ?? "rollouts"}: not ${until ?? "ended"} within ${duration(timeoutMs ?? 0)}; only the wait is over`);
    finish(EXIT.timedOut);
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(giveUp, timeoutMs);
  stops.push(() => clearTimeout(timer));
  try {
    const onLive = ({ plan }: LiveState): void => {
      const code = until === undefined ? undefined : endOf(plan.phase, until);
      if (code !== undefined) finish(code);
    };
    stops.push(await follow(link, name, { sink, onLive }));
    await stopped(ended.signal);
    // Only `finish` aborts it.
    return ended.signal.reason as ExitCode;
  } finally {
    for (const stop of stops) stop();
  }
}

/** Where changes are told. */
interface Sink {
  say(line: string, value: object): void;
  error(message: string): void;
  changed(rollout: string): void;
  judged(record: JudgeRecord): void;
  stop(): void;
}

async function openSink(
  link: NatsLink,
  { name, signWith, json }: WatchOptions,
  { parts, quit }: { parts: CliParts; quit: () => void },
): Promise<Sink> {
  const terminal = json ? undefined : parts.terminal();
  const time = (): string => new Date(parts.nowMs()).toISOString();
  if (terminal === undefined) {
    const nothing = (): void => undefined;
    return {
      say: (line, value) => parts.out(json ? `${JSON.stringify(value)}\n` : `${time()} ${line}\n`),
      error: (message) => parts.error(`${message}\n`),
      changed: nothing,
      judged: nothing,
      stop: nothing,
    };
  }
  const { startLive } = await import("./live/live.ts");
  const live = await startLive({ link, name, signWith, terminal, parts, quit });
  const say = (line: string): void => live.say(`${time().slice(11, 19)} ${line}`);
  // Not on stderr: that is the same terminal, which is drawn over.
  return {
    say,
    error: say,
    changed: (rollout) => live.changed(rollout),
    judged: (record) => live.judged(record),
    stop: () => live.stop(),
  };
}

/** Tells each change of a rollout, or of all, from how it stands now on. Resolves with the way to stop. */
async function follow(
  link: NatsLink,
  name: string | undefined,
  { sink, onLive }: { sink: Sink; onLive: (state: LiveState) => void },
): Promise<() => void> {
  const lastLine = new Map<string, string>();
  const say = (key: string, line: string, value: object): void => {
    if (lastLine.get(key) !== line) sink.say(line, value);
    lastLine.set(key, line);
  };
  const shapeOf = createShapes(link);
  const showLive = async (state: LiveState): Promise<void> => {
    const { plan, shareBp, rollout } = state;
    const phase = phaseText({ plan, ...(await shapeOf(state)) });
    // The phase of a ramp is its share.
    const line = `${rollout}: ${phase}${plan.phase === "ramp" ? "" : `, share ${share(shareBp)}`}, run ${plan.run}`;
    sink.changed(rollout);
    say(`live ${rollout}`, line, { type: "live", rollout, plan, shareBp });
    onLive(state);
  };
  const showJudge = (record: JudgeRecord): void => {
    sink.judged(record);
    const { rollout, verdict, totals, shareSeenBp } = record;
    if (verdict === null) return;
    const line = `${rollout}: ${verdict.verdict}, seen ${share(shareSeenBp)}, safe ${share(verdict.safeShareBp)}: ${verdict.reason}`;
    say(`judge ${rollout}`, line, { type: "verdict", rollout, verdict, totals, shareSeenBp });
  };
  const onError = (error: unknown): void => sink.error(error instanceof Error ? error.message : String(error));
  // One after the other, in the order that they came: a plan may have to be read first.
  let shown = Promise.resolve();
  const inTurn = (show: () => void | Promise<void>): void => {
    shown = shown.then(show).catch(onError);
  };
  const wanted = name ?? "*";
  const read =
    <Schema extends z.ZodType>(schema: Schema, show: (value: z.infer<Schema>) => void | Promise<void>) =>
    ({ data, subject }: { readonly data: Uint8Array; readonly subject: string }): void => {
      const value = decodeStored(schema, { subject, sequence: 0, data });
      inTurn(() => show(value));
    };
  const stops = [
    subscribeSafely(link, SUBJECTS.push(SUBJECTS.live(wanted)), read(LiveStateSchema, showLive), onError),
    subscribeSafely(link, SUBJECTS.push(SUBJECTS.judge(wanted)), read(JudgeRecordSchema, showJudge), onError),
  ];
  const states = name === undefined ? await listLive(link) : [await readLive(link, name)];
  for (const state of states) if (state !== undefined) inTurn(() => showLive(state));
  return () => {
    for (const stop of stops) stop();
  };
}

/** Tells the shape of the plan that a live state obeys, read once for each. */
function createShapes(link: NatsLink): (state: LiveState) => Promise<PlanShape> {
  const shapes = new Map<string, { readonly sequence: number; readonly shape: PlanShape }>();
  return async ({ rollout, planSequence }) => {
    const known = shapes.get(rollout);
    if (known?.sequence === planSequence) return known.shape;
    const shape = planShape((await readPlanAt(link, rollout, planSequence))?.rollout);
    shapes.set(rollout, { sequence: planSequence, shape });
    return shape;
  };
}

/** Undefined while the wait goes on. */
function endOf(phase: string, until: "promoted" | "ended"): ExitCode | undefined {
  if (phase === "rolledBack") return EXIT.rolledBack;
  if (phase === "promoted" && until === "promoted") return EXIT.done;
  return phase === "handedOver" ? EXIT.done : undefined;
}
