import type { Fleet } from "../contract/live.ts";
import type { Receipt } from "../contract/messages.ts";
import { compareRevision } from "../contract/rules.ts";

/** Identifies one rule set. */
export type Revision = Readonly<{ epoch: number; revision: number }>;

/** Known sidecars, as stored, and the newest receipt of each that this leader has heard. */
export interface FleetView {
  readonly known: Fleet["sidecars"];
  readonly heard: Readonly<Record<string, Receipt>>;
}

/** Takes a receipt in; `isMembershipChanged` tells that the stored fleet must be written. */
export function hear(fleet: FleetView, receipt: Receipt, nowMs: number): Readonly<{ fleet: FleetView; isMembershipChanged: boolean }> {
  const { sidecar, startedAtMs } = receipt;
  const known = fleet.known[sidecar];
  if (receipt.state === "goodbye") {
    // A process that was replaced under the same id may still say goodbye after its successor's first word.
    return known === undefined || known.startedAtMs === startedAtMs ? forget(fleet, sidecar) : { fleet, isMembershipChanged: false };
  }
  const heard = { ...fleet.heard, [sidecar]: receipt };
  if (known?.startedAtMs === startedAtMs && known.silentSinceMs === undefined)
    return { fleet: { known: fleet.known, heard }, isMembershipChanged: false };
  const entry = { firstSeenMs: known?.firstSeenMs ?? nowMs, startedAtMs };
  return { fleet: { known: { ...fleet.known, [sidecar]: entry }, heard }, isMembershipChanged: true };
}

/** Drops a sidecar that said goodbye, or that an operator knows to be gone. */
export function forget(fleet: FleetView, sidecar: string): Readonly<{ fleet: FleetView; isMembershipChanged: boolean }> {
  const { [sidecar]: known, ...others } = fleet.known;
  const { [sidecar]: _, ...heard } = fleet.heard;
  return { fleet: { known: others, heard }, isMembershipChanged: known !== undefined };
}

/**
 * Known sidecars that do not obey `required` yet, sorted. A sidecar of another epoch than the manifest's obeys another line
 * of revisions, and one that is unwatched has sent its shares home: neither confirms anything.
 */
export function missingFor(fleet: FleetView, required: Revision, epoch: number): string[] {
  return Object.keys(fleet.known)
    .filter((sidecar) => {
      const receipt = fleet.heard[sidecar];
      if (receipt === undefined || receipt.state === "unwatched") return true;
      return receipt.epoch !== epoch || compareRevision(receipt, required) < 0;
    })
    .toSorted();
}

/** The epoch that outranks a sidecar which obeys something newer than the store holds; undefined when none does. */
export function epochToHeal(fleet: FleetView, published: Revision, nowMs: number): number | undefined {
  const ahead = Object.values(fleet.heard).filter((receipt) => compareRevision(receipt, published) > 0);
  if (ahead.length === 0) return undefined;
  return Math.max(Math.floor(nowMs / 1_000), ...ahead.map(({ epoch }) => epoch + 1));
}

/** How many sidecars are known by what they said last, and how many of those that are heard obey an older rule set than the published one. */
export interface FleetCounts {
  readonly states: Readonly<Record<"ok" | "stale" | "unwatched" | "silent", number>>;
  readonly behind: number;
}

/** Counts the fleet; `silentSinceMs` stands where a sidecar was last heard long ago. Of a silent one nobody knows what it obeys. */
export function countFleet({ known, heard }: FleetView, published: Revision): FleetCounts {
  const states = { ok: 0, stale: 0, unwatched: 0, silent: 0 };
  let behind = 0;
  for (const [sidecar, { silentSinceMs }] of Object.entries(known)) {
    const receipt = silentSinceMs === undefined ? heard[sidecar] : undefined;
    const state = receipt?.state ?? "silent";
    states[state === "goodbye" ? "silent" : state] += 1;
    if (receipt !== undefined && compareRevision(receipt, published) < 0) behind += 1;
  }
  return { states, behind };
}

/** Without a word for so long a sidecar is silent: at rest they say one every 10 s. */
const SILENT_MS = 12_000;

/** Writes down since when sidecars are silent, by the last word that each is known to have said; the same fleet where nothing is new. */
export function noteSilence(fleet: FleetView, heardAtMs: ReadonlyMap<string, number>, nowMs: number): FleetView {
  const silent = Object.entries(fleet.known).flatMap(([sidecar, entry]) => {
    const lastMs = heardAtMs.get(sidecar);
    const isNew = entry.silentSinceMs === undefined && lastMs !== undefined && nowMs - lastMs >= SILENT_MS;
    return isNew ? [[sidecar, { ...entry, silentSinceMs: lastMs }] as const] : [];
  });
  return silent.length === 0 ? fleet : { ...fleet, known: { ...fleet.known, ...Object.fromEntries(silent) } };
}
