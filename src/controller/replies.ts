import type { LiveState } from "../contract/live.ts";
import type { Command, Reply } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";

type Answer = Readonly<Pick<Reply, "result" | "message">>;

/** Where a rollout stands, in an answer. */
export const standing = ({ rollout, plan, shareBp }: LiveState): string =>
  `${rollout} is ${plan.phase}, run ${plan.run}, share ${shareBp / 100}%`;

/** An answer with where the rollout stands now, when there is one. */
export function replyWith({ id }: Pick<Command, "id">, { result, message }: Answer, live?: LiveState): Reply {
  return { format: FORMAT, id, result, message, ...(live === undefined ? {} : { phase: live.plan.phase, run: live.plan.run }) };
}
