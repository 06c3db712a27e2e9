import type { FailingUsersMessage, StoredSketch } from "../../src/contract/failing-users.ts";
import { keyHash, sketchOf, storedSketch } from "../../src/core/judge/key-sketch.ts";

/** Failing requests by bucket. */
type Counts = Readonly<Record<number, number>>;

/** Users in the form of messages. */
const storedUsers = (counts: Counts): StoredSketch =>
  storedSketch(sketchOf(new Map(Object.entries(counts).map(([bucket, count]) => [keyHash(Number(bucket)), count]))));

/** Users of buckets from `from` on, one failing request each. */
export const users = (count: number, from = 0): Counts =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [from + index, 1]));

/** What a sidecar says of rollout `cart`; `at` are its runs as `run variant`, `history` who failed before, with failing requests an hour where they are told. */
export function failingMessage(
  startedAtMs: number,
  at: Readonly<Record<string, Counts>>,
  history?: readonly number[] | Counts,
): FailingUsersMessage {
  const runs = Object.entries(at).map(([id, counts]) => ({
    rollout: "cart",
    run: Number.parseInt(id, 10),
    variant: id.endsWith("stable") ? ("stable" as const) : ("canary" as const),
    users: storedUsers(counts),
  }));
  const known = Array.isArray(history) ? Object.fromEntries(history.map((bucket: number) => [bucket, 0])) : history;
  const histories = known === undefined ? [] : [{ rollout: "cart", users: storedUsers(known) }];
  return { format: 1, startedAtMs, runs, histories };
}
