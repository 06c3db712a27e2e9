import { type FeedbackReply, FeedbackReplySchema } from "../../contract/feedback.ts";
import { SUBJECTS } from "../../contract/names.ts";
import type { Rollout } from "../../contract/rollout.ts";
import type { Clock } from "../../io/clock.ts";
import type { NatsLink } from "../../io/nats.ts";
import { readPlan } from "../../io/store.ts";
import type { FeedbackPorts } from "./feedback-http.ts";

/** How long a rollout is believed to be as it was read: its salt seldom changes, and the leader sees to it that it is the same. */
const BELIEVED_MS = 5_000;
const MAX_BELIEVED = 1_000;
const TIMEOUT_MS = 2_000;

/** Ways to the leader over NATS, for any controller. */
export function feedbackPorts(link: NatsLink, clock: Clock): FeedbackPorts {
  const believed = new Map<string, Readonly<{ rollout: Rollout | undefined; untilMs: number }>>();
  return {
    async rollout(name) {
      const nowMs = clock.monotonicMs();
      const before = believed.get(name);
      if (before !== undefined && before.untilMs > nowMs) return before.rollout;
      const rollout = (await readPlan(link, name))?.rollout;
      if (believed.size >= MAX_BELIEVED) believed.clear();
      believed.set(name, { rollout, untilMs: nowMs + BELIEVED_MS });
      return rollout;
    },
    async send(feedback): Promise<FeedbackReply> {
      const { data } = await link.connection.request(SUBJECTS.feedback(feedback.rollout), JSON.stringify(feedback), {
        timeout: TIMEOUT_MS,
      });
      return FeedbackReplySchema.parse(JSON.parse(new TextDecoder().decode(data)));
    },
  };
}
