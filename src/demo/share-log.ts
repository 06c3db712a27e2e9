import { type Receipt, ReceiptSchema } from "../contract/messages.ts";
import { SUBJECTS } from "../contract/names.ts";
import { compareRevision, type ManifestPayload } from "../contract/rules.ts";
import { type NatsLink, subscribeSafely } from "../io/nats.ts";
import { decodeManifest } from "../io/rules-store.ts";
import type { ShareChange } from "./tally.ts";

interface Issued {
  readonly epoch: number;
  readonly revision: number;
  readonly run: number;
  readonly shareBp: number;
  readonly isRollback: boolean;
  readonly issuedMs: number;
}

/** What was issued and when it was obeyed, put together from manifests and receipts. */
export interface ShareLog {
  issued(manifest: Pick<ManifestPayload, "epoch" | "revision" | "issuedAtMs" | "live">): void;
  obeyed(receipt: Pick<Receipt, "sidecar" | "epoch" | "revision" | "sinceMs">): void;
  /** Changes of one rollout's share, oldest first. */
  changes(rollout: string): ShareChange[];
}

/** An empty log; `sidecars` are all that must obey. */
export function createShareLog(sidecars: readonly string[]): ShareLog {
  const issued = new Map<string, Issued[]>();
  /** Per sidecar: each revision that it obeyed, and since when. */
  const obeyed = new Map<string, { epoch: number; revision: number; sinceMs: number }[]>();
  const obeyedMs = (change: Issued): number | undefined => {
    const times = sidecars.map((sidecar) => obeyed.get(sidecar)?.find((one) => compareRevision(one, change) >= 0)?.sinceMs);
    return times.some((time) => time === undefined) ? undefined : Math.max(...times.map((time) => time ?? 0));
  };
  return {
    issued({ epoch, revision, issuedAtMs, live }) {
      for (const [rollout, { run, shareBp, off }] of Object.entries(live)) {
        const list = issued.get(rollout) ?? [];
        issued.set(rollout, list);
        // Each manifest holds all rollouts; only a new run is a change of this one.
        if (list.at(-1)?.run === run) continue;
        list.push({ epoch, revision, run, shareBp: off ? 0 : shareBp, isRollback: off, issuedMs: issuedAtMs });
      }
    },
    obeyed({ sidecar, epoch, revision, sinceMs }) {
      const list = obeyed.get(sidecar) ?? [];
      obeyed.set(sidecar, list);
      const last = list.at(-1);
      if (last === undefined || compareRevision({ epoch, revision }, last) > 0) list.push({ epoch, revision, sinceMs });
    },
    changes: (rollout) =>
      (issued.get(rollout) ?? []).map((change) => ({
        shareBp: change.shareBp,
        issuedMs: change.issuedMs,
        obeyedMs: obeyedMs(change),
        isRollback: change.isRollback,
      })),
  };
}

/** Fills a log from what NATS carries, as anyone with rights to read can. Returns the way to stop. */
export function followShares(link: NatsLink, log: ShareLog, onError: (error: unknown) => void): () => void {
  const stops = [
    subscribeSafely(link, SUBJECTS.push(SUBJECTS.manifest), ({ data }) => log.issued(decodeManifest(data)), onError),
    subscribeSafely(
      link,
      SUBJECTS.allReceipts,
      ({ data }) => log.obeyed(ReceiptSchema.parse(JSON.parse(Buffer.from(data).toString("utf8")))),
      onError,
    ),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
