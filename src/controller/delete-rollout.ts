import type { Audit, Command, Reply } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import { isEnded } from "../core/plan/ended.ts";
import type { TermParts } from "./ports.ts";
import { purgeState } from "./purge-state.ts";
import type { Seat } from "./seats.ts";
import type { Steps } from "./steps.ts";

/** The audit record of a deletion, by which a repeat of the command is known. */
export const deletionId = ({ id }: Pick<Command, "id">): string => `delete-${id}`;

/**
 * Deletes a rollout that has ended. The audit goes first and stays; then its plans, so that nobody begins it anew, and its state last: a
 * leader that finds state without a plan finishes the work.
 */
export async function deleteRollout(
  seat: Seat,
  { id, who, reason }: Command,
  { parts, steps, gone }: Readonly<{ parts: TermParts; steps: Steps; gone(name: string): void }>,
): Promise<Pick<Reply, "result" | "message">> {
  const { name, live } = seat;
  const { phase, run, firstRun } = live.plan;
  if (!isEnded(phase)) {
    const first = phase === "promoted" ? `serin handover ${name}` : `serin abort ${name}`;
    return { result: "refused", message: `${name} is ${phase}; end it first (${first}), then delete it` };
  }
  steps.outbox.send(live);
  await steps.outbox.close();
  if (live.outbox.some((record) => !steps.outbox.sent.has(record.id)))
    return { result: "failed", message: `the audit of ${name} cannot be written now, and would be lost; try again` };
  const record: Audit = {
    format: FORMAT,
    id: deletionId({ id }),
    atMs: parts.clock.nowMs(),
    rollout: name,
    action: "delete",
    who,
    ...(reason === undefined ? {} : { reason }),
    run,
    shareBp: 0,
    attempt: firstRun,
    phase,
  };
  await parts.audit.append(record);
  await parts.plans.purge(name);
  await purgeState(parts.state, name);
  steps.seats.delete(name);
  gone(name);
  await steps.sync();
  return { result: "done", message: `delete: ${name} is gone; its history stays in the audit` };
}
