import { FORMAT } from "../contract/names.ts";
import type { Lease } from "../contract/rules.ts";

/** The lease as read: sequence 0 when there is none, no `lease` when it is absent or cannot be read. */
export type SeenLease = Readonly<{ sequence: number; lease: Lease | undefined }>;

/** The lease as a candidate has watched it; `sinceMs` is its own monotonic clock when the sequence was first seen. */
export type Watch = SeenLease & Readonly<{ sinceMs: number }>;

/** Who leads: one holder and term name one time in office. */
export type InOffice = Readonly<{ holder: string; term: number }>;

/** Goes on watching; another sequence, also a lower one of a store that lost writes, starts the wait anew. */
export const observe = (watch: Watch | undefined, seen: SeenLease, monotonicMs: number): Watch =>
  watch !== undefined && watch.sequence === seen.sequence ? watch : { ...seen, sinceMs: monotonicMs };

/**
 * How long until the lease may be taken, in milliseconds; 0 when at once. Only the watcher's own monotonic clock counts,
 * so that neither skewed clocks nor a paused candidate can shorten a lease.
 */
export function waitFor(watch: Watch, monotonicMs: number, leaseMs: number, lastHeld: InOffice | undefined): number {
  const { sequence, lease } = watch;
  if (sequence === 0 || lease?.released === true) return 0;
  // Nobody led since this process itself stepped down: there is no one to wait for.
  if (lease !== undefined && isHeldBy(lease, lastHeld)) return 0;
  return Math.max(0, watch.sinceMs + leaseMs - monotonicMs);
}

/** True while the lease says that this very time in office goes on. */
export const isHeldBy = (lease: Lease, office: InOffice | undefined): boolean =>
  office !== undefined && lease.holder === office.holder && lease.term === office.term;

/** The lease that begins the next term. An unreadable one still left a sequence, which no term has outgrown. */
export const takenLease = ({ sequence, lease }: SeenLease, holder: string, nowMs: number): Lease => ({
  format: FORMAT,
  holder,
  term: (lease?.term ?? sequence) + 1,
  beat: 0,
  renewedAtMs: nowMs,
});
