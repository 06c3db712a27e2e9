import { SUBJECTS } from "../contract/names.ts";
import type { StatePort } from "./ports.ts";

/** Removes all that is known of a rollout, its live state last. */
export async function purgeState(state: StatePort, name: string): Promise<void> {
  const { judge, failingUsers, rolloutMix, rolloutFeedback, live } = SUBJECTS;
  for (const subject of [judge, failingUsers, rolloutMix, rolloutFeedback, live]) await state.purge(subject(name));
}
