import type { MixMessage } from "../contract/mix-evidence.ts";
import { FORMAT, SUBJECTS } from "../contract/names.ts";
import { storedSample } from "../core/judge/user-sample.ts";
import type { Logger } from "../io/log.ts";
import type { NatsLink } from "../io/nats.ts";
import type { Slices } from "../io/slices.ts";
import { type PartsSender, startPartsSender } from "./changed-parts.ts";
import type { CurrentRules } from "./current-rules.ts";
import type { CountedGroup, MixUsers } from "./mix-users.ts";
import { IDLE_MS, jittered } from "./telling-pace.ts";

interface Parts {
  readonly id: string;
  readonly link: NatsLink;
  readonly rules: CurrentRules;
  readonly mix: MixUsers;
  readonly log: Logger;
  readonly slices: Slices;
}

/** Tells the controller who the users are of rollouts that ask for their mix. Nothing is decided by it, so it has time. */
export const startMixSender = ({ id, link, rules, mix, log, slices }: Parts): PartsSender =>
  startPartsSender<CountedGroup, MixMessage["groups"][number]>({
    link,
    log,
    slices,
    what: "the mix of users",
    subject: SUBJECTS.mix(id),
    all: () => mix.all(rules.compiled()),
    partOf({ rollout, run, variant, by, target, sample }) {
      const users = storedSample(sample());
      return { part: { rollout, run, variant, by, ...(target !== undefined && { target }), users }, users: users.steps.length };
    },
    messageOf: (groups): MixMessage => ({ format: FORMAT, groups: [...groups] }),
    pauseMs: () => jittered(IDLE_MS),
  });
