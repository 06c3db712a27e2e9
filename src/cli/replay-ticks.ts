import type { Rollout } from "../contract/rollout.ts";
import type { Tick, TickStart } from "../contract/ticks.ts";
import { startOf } from "../core/judge/ticks.ts";
import { type Replay, startReplay, stepReplay } from "../core/replay/replay.ts";
import { duration, share } from "../told/format.ts";
import type { CliParts } from "./parts.ts";

/** Takes ticks one after the other, and prints what Serin makes of each. */
export interface TickReplay {
  /** `where` names the tick's place for what is said of it, like `line 7`. */
  take(tick: Tick, where: string): void;
  /** One line of how it ended. */
  summary(): string;
}

/** Replays ticks through the judge and the plan of a rollout; a tick counts once, in the order of `t`, and what does not count is said. */
export function replayTicks(rollout: Rollout, start: TickStart, parts: Pick<CliParts, "out" | "error">): TickReplay {
  const counts = { judged: 0, dropped: 0, missing: 0 };
  let standing: { replay: Replay; beginMs: number; endMs: number; lastT: number } | undefined;
  let turn = "";
  const say = (where: string, text: string): void => parts.error(`${where}: ${text}\n`);
  return {
    take(tick, where) {
      const { t } = tick;
      if (standing === undefined) {
        const begin = startOf(start, tick.sec);
        standing = { replay: startReplay(rollout, begin), beginMs: begin.beginMs, endMs: begin.beginMs, lastT: t - 1 };
      }
      if (t <= standing.lastT) {
        counts.dropped += 1;
        return say(where, `tick ${t} comes after tick ${standing.lastT}, so it is late or came before; it is not counted`);
      }
      const missing = t - standing.lastT - 1;
      if (missing > 0) say(where, `${missing} ${missing === 1 ? "tick is" : "ticks are"} missing before tick ${t}; judged without`);
      counts.missing += missing;
      counts.judged += 1;
      const { replay, action } = stepReplay(standing.replay, tick);
      const { record, shareBp } = replay;
      const { verdict } = record ?? { verdict: "unknown" };
      parts.out(`${JSON.stringify({ t, verdict, action, share: shareBp / 10_000, record })}\n`);
      const endMs = record?.atMs ?? standing.endMs;
      standing = { replay, beginMs: standing.beginMs, endMs, lastT: t };
      if (action === "rollback" || action === "promote")
        turn += `, ${action} at tick ${t} after ${duration(endMs - standing.beginMs)}: ${record?.reason ?? ""}`;
    },
    summary() {
      const { judged, dropped, missing } = counts;
      const lost = `${dropped > 0 ? `, ${dropped} not counted` : ""}${missing > 0 ? `, ${missing} missing` : ""}`;
      const last = standing?.replay.record;
      const end = last ? `; in the end ${last.verdict}, share ${share(standing?.replay.shareBp)}` : "";
      return `${rollout.name}: ${judged} ticks judged${lost}${turn}${end}\n`;
    },
  };
}
