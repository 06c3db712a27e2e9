import { METRICS } from "../contract/names.ts";
import { distinct } from "../core/judge/key-sketch.ts";
import type { Reading } from "../io/metric-points.ts";
import type { FailingUsers } from "./failing-users.ts";
import type { Rests } from "./rests.ts";
import type { CountedUsers } from "./rollout-failures.ts";

/** Users in one part: a part that was counted since must be sorted, which takes a millisecond for some thousands. */
const USERS_A_PART = 2_000;
const WALKED_A_PART = 100;

/** How many users failed, of rollouts that are not over; in parts that are made as they are asked for. */
export function* failingReadings(failing: FailingUsers, { isOver }: Pick<Rests, "isOver">): Generator<Reading> {
  yield* partsOf(METRICS.failingUsers, failing, ({ rollout, of }) =>
    isOver(rollout) ? undefined : of && { rollout, variant: of.variant, run: String(of.run) },
  );
  yield* partsOf(METRICS.knownFailingUsers, failing, ({ rollout, of }) => (of === undefined && !isOver(rollout) ? { rollout } : undefined));
}

type Values = Reading["values"][number];

/** The users of each part that has attributes. */
function* partsOf(
  name: string,
  failing: FailingUsers,
  attributesOf: (part: CountedUsers) => Values["attributes"] | undefined,
): Generator<Reading> {
  let values: Values[] = [];
  let users = 0;
  let walked = 0;
  for (const part of failing.all()) {
    walked += 1;
    const attributes = attributesOf(part);
    if (attributes !== undefined) {
      const sketch = part.users();
      values.push({ attributes, value: Math.round(distinct(sketch)) });
      users += sketch.keys.length;
    }
    if (users < USERS_A_PART && walked < WALKED_A_PART) continue;
    yield { name, values };
    values = [];
    users = 0;
    walked = 0;
  }
  yield { name, values };
}
