import type { Counts } from "./bet.ts";
import type { EvidenceBatch, Half, Outcomes } from "./types.ts";

const NOTHING: Outcomes = { decided: 0, settled: 0, requests: 0, failed: 0, latency: [] };

/** A batch that says nothing. */
export const nothingNew = (run: number, nowMs: number): EvidenceBatch => ({ nowMs, run, runCanary: 0, stable: NOTHING, canary: NOTHING });

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Whether all counts of a batch can be counts: what makes no sense is no data. */
export function isSound({ nowMs, run, runCanary, stable, canary, halves, split, own }: EvidenceBatch, buckets: number): boolean {
  if (!isCount(nowMs) || !isCount(run) || !isCount(runCanary)) return false;
  if (!isSide(stable, buckets) || !isSide(canary, buckets)) return false;
  if (!isHalf(halves?.hosts, buckets) || !isHalf(halves?.keys, buckets)) return false;
  return isSplit(split) && Object.values(own ?? {}).every(isOwn);
}

const isSide = (side: Outcomes, buckets: number): boolean => isCount(side.decided) && isCount(side.settled) && isHalf(side, buckets);

function isHalf(half: Half | undefined, buckets: number): boolean {
  if (half === undefined) return true;
  const { requests, failed, latency, users } = half;
  if (!isCount(requests) || !isCount(failed) || failed > requests || latency.length > buckets) return false;
  for (const count of latency) if (!isCount(count)) return false;
  return users === undefined || (isCount(users.newly) && isCount(users.knownRequests));
}

const isSplit = (split: EvidenceBatch["split"]): boolean =>
  split === undefined ||
  (isCount(split.shareBp) && split.shareBp <= 10_000 && isCount(split.all) && isCount(split.canary) && split.canary <= split.all);

const isOwn = ({ canaryHits, canary, stableHits, stable }: Counts): boolean =>
  isCount(canaryHits) && isCount(canary) && isCount(stableHits) && isCount(stable);
