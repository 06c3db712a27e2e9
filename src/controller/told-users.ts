import * as z from "zod";
import type { EvidenceBatch, FailedUsers, Half } from "../core/judge/types.ts";

const FailedUsersSchema = z.strictObject({ newly: z.int().min(0), knownRequests: z.int().min(0) });

/** Failing users that the judge was told of, summed over the attempt; stored with its state. */
export const ToldUsersSchema = z.strictObject({
  stable: FailedUsersSchema,
  canary: FailedUsersSchema,
  half: FailedUsersSchema.describe("Of stable's, those in the half of users that is counted."),
});

/** What is known of an attempt's failing users, or was told of them. */
export type ToldUsers = Readonly<z.infer<typeof ToldUsersSchema>>;

/** What the judge should know. */
export interface JudgedUsers extends ToldUsers {
  /** Not every sidecar has told a new leader: at least so many of the canary's users fail newly, and known ones may be behind all else. */
  readonly isOpen?: boolean;
}

const NOBODY: FailedUsers = { newly: 0, knownRequests: 0 };

/** Before any failed. */
export const NOBODY_FAILED: ToldUsers = { stable: NOBODY, canary: NOBODY, half: NOBODY };

/**
 * The batch with what is new of failing users. Who failed is heard apart from how many requests failed, so that neither ever exceeds
 * the failed requests of a batch: what is too much waits for the next one. Figures may go down, as estimates do; then nothing is new
 * until they are above what was told.
 */
export function withUsers(batch: EvidenceBatch, told: ToldUsers, known: JudgedUsers): Readonly<{ batch: EvidenceBatch; told: ToldUsers }> {
  const stable = due(known.stable, told.stable, batch.stable.failed);
  const canary = (known.isOpen === true ? dueAtLeast : due)(known.canary, told.canary, batch.canary.failed);
  const next = { ...batch, stable: { ...batch.stable, users: stable }, canary: { ...batch.canary, users: canary } };
  const toldNow = { ...told, stable: plus(told.stable, stable), canary: plus(told.canary, canary) };
  const { hosts, keys } = batch.halves ?? {};
  const ofHalf = ({ failed }: Half, wanted: FailedUsers): FailedUsers =>
    fitted(wanted, { whole: stable, failed, others: batch.stable.failed - failed });
  const half = keys && ofHalf(keys, minus(known.half, told.half));
  const halves = {
    ...(hosts && { hosts: { ...hosts, users: ofHalf(hosts, partOf(stable, hosts.failed / Math.max(1, batch.stable.failed))) } }),
    ...(keys && half && { keys: { ...keys, users: half } }),
  };
  return { batch: { ...next, halves }, told: half === undefined ? toldNow : { ...toldNow, half: plus(told.half, half) } };
}

/** Nobody tells who failed on which host: as many as its part of the failed requests. */
const partOf = ({ newly, knownRequests }: FailedUsers, part: number): FailedUsers => ({
  newly: Math.round(newly * part),
  knownRequests: Math.round(knownRequests * part),
});

/** A user that fails newly has a failed request, and it is not a known user's. */
function due(known: FailedUsers, told: FailedUsers, failed: number): FailedUsers {
  const knownRequests = within(known.knownRequests - told.knownRequests, 0, failed);
  return { newly: within(known.newly - told.newly, 0, failed - knownRequests), knownRequests };
}

/** Whoever does not fail newly is taken for known. */
function dueAtLeast(known: FailedUsers, told: FailedUsers, failed: number): FailedUsers {
  const newly = within(known.newly - told.newly, 0, failed);
  return { newly, knownRequests: failed - newly };
}

/** What is wanted for a part of `whole`, so that it fits the failed requests of both halves. */
function fitted(
  wanted: FailedUsers,
  { whole, failed, others }: Readonly<{ whole: FailedUsers; failed: number; others: number }>,
): FailedUsers {
  const knownRequests = within(wanted.knownRequests, Math.max(0, whole.knownRequests - others), Math.min(whole.knownRequests, failed));
  const left = others - (whole.knownRequests - knownRequests);
  const newly = within(wanted.newly, Math.max(0, whole.newly - left), Math.min(whole.newly, failed - knownRequests));
  return { newly, knownRequests };
}

const within = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

const minus = (a: FailedUsers, b: FailedUsers): FailedUsers => ({
  newly: a.newly - b.newly,
  knownRequests: a.knownRequests - b.knownRequests,
});

const plus = (a: FailedUsers, b: FailedUsers): FailedUsers => ({
  newly: a.newly + b.newly,
  knownRequests: a.knownRequests + b.knownRequests,
});
