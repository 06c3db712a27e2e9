import type { Plan } from "../io/store.ts";
import { judgeApply } from "./apply-rules.ts";
import type { Commands } from "./commands.ts";
import type { TermParts } from "./ports.ts";
import type { Seat } from "./seats.ts";

interface Stored {
  readonly seats: readonly Seat[];
  /** Names of the segments that there are. */
  readonly segments: readonly string[];
  /** Plans that no live state obeys. */
  readonly unobeyed: readonly Readonly<{ name: string; plan: Plan }>[];
}

/** Begins plans that the leader before stored and did not come to begin. */
export async function takeUp({ log }: TermParts, commands: Pick<Commands, "begin">, { seats, segments, unobeyed }: Stored): Promise<void> {
  for (const { name, plan } of unobeyed) {
    const applied = judgeApply(plan.document, name, seats, segments);
    if (applied.type === "start") {
      log.info({ rollout: name, sequence: plan.sequence }, "stored plan was not begun, beginning it");
      await commands.begin(plan);
    } else {
      log.warn({ rollout: name, sequence: plan.sequence, why: applied.message }, "stored plan cannot begin, apply it again");
    }
  }
}
