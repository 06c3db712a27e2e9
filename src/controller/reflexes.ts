import type { Receipt } from "../contract/messages.ts";
import type { Steps } from "./steps.ts";

/**
 * Hears of canaries that a sidecar stopped by itself: once for each run, whoever leads. When all known sidecars have stopped one, nobody is on
 * it any more and nothing is left to judge it by: it goes back.
 */
export async function hearStops(steps: Steps, { sidecar, stopped = [] }: Receipt, known: readonly string[]): Promise<void> {
  for (const { rollout, run, atMs, failures, users } of stopped) {
    const seat = steps.seats.get(rollout);
    const before = seat?.live.stops ?? [];
    if (seat === undefined || seat.live.plan.run !== run || before.some((stop) => stop.sidecar === sidecar)) continue;
    const stops = [...before, { sidecar, run, atMs }];
    const reason = `it stopped the canary by itself: ${failures} failures in a row, of ${users} users or more, and stable was well`;
    const effects = [{ type: "audit", action: "reflex", reason } as const];
    await steps.take(seat, { state: seat.live.plan, effects, stops }, { who: { name: `sidecar ${sidecar}`, claimed: false } });
    if (!known.every((each) => stops.some((stop) => stop.sidecar === each))) continue;
    const back = { type: "abort", who: steps.self, reason: "every known sidecar stopped the canary by itself", now: true } as const;
    await steps.deliver(seat, back, { who: steps.self });
  }
}
