import { LATENCY_BOUNDS_MS } from "../contract/names.ts";
import { isInKeyHalf, keyHash } from "../core/judge/key-sketch.ts";
import { countIn, emptyCounts } from "../io/distribution.ts";
import type { Cell, Ended, HalfCell } from "./cell.ts";

const emptyHalf = (): HalfCell => ({ ok: 0, failed: 0, latency: emptyCounts(LATENCY_BOUNDS_MS), wasStray: false });

/**
 * Counts a request for its halves: what differs between two halves of stable more than by chance comes in clumps, of a host or of a
 * user. A request without a host, or without a key, goes to either half in turn: it says nothing of clumps, and so tips no half.
 */
export function countHalves(cell: Cell, ended: Ended): void {
  const { bucket, isOddHost } = ended;
  cell.halves ??= { hosts: emptyHalf(), keys: emptyHalf() };
  const { hosts, keys } = cell.halves;
  countHalf(hosts, isOddHost, ended);
  countHalf(keys, bucket === undefined ? undefined : isInKeyHalf(keyHash(bucket)), ended);
}

function countHalf(half: HalfCell, isIn: boolean | undefined, { class: outcome, latencyMs }: Ended): void {
  if (isIn === undefined) half.wasStray = !half.wasStray;
  if (!(isIn ?? half.wasStray)) return;
  if (outcome === "ok" || outcome === "failed") half[outcome] += 1;
  if (latencyMs !== undefined) countIn(half.latency, LATENCY_BOUNDS_MS, latencyMs);
}
