import { awaitsReceipts } from "../core/plan/stragglers.ts";
import type { FleetKeeper } from "./fleet-keeper.ts";
import type { TermParts } from "./ports.ts";
import { readJudging, type Seat } from "./seats.ts";
import type { Steps } from "./steps.ts";

/** Looks at what sidecars have confirmed: of all rollouts, those whose plans wait for it hear who is missing. */
export async function lookAtReceipts(parts: TermParts, fleet: FleetKeeper, steps: Steps): Promise<void> {
  const { publisher, seats, self } = steps;
  await fleet.store();
  const epoch = fleet.epochToHeal(publisher.current);
  if (epoch !== undefined) {
    parts.log.warn({ published: publisher.current, epoch }, "a sidecar obeys newer rules than the store holds, outranking them");
    publisher.outrank(epoch);
    await steps.sync();
  }
  const deliver = async (seat: Seat): Promise<void> => {
    await readJudging(parts, seat);
    const known = { known: fleet.members.length, listeningSinceMs: fleet.listeningSinceMs() };
    const told = { ...fleet.standing(seat, publisher.current), ...known };
    const event = { type: "receipts", ...told, requestsPerSecond: seat.judging.verdict?.rate } as const;
    await steps.deliver(seat, event, { who: self });
  };
  for (const seat of seats.values()) if (awaitsReceipts(seat.live.plan)) await deliver(seat);
}
