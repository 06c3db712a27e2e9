import { ReceiptSchema } from "../contract/messages.ts";
import { SUBJECTS } from "../contract/names.ts";
import { compareRevision } from "../contract/rules.ts";
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

/** Listens to what is issued and obeyed, as anyone with rights to read can. */
export interface ShareLog {
  /** Changes of one rollout's share, oldest first. */
  changes(rollout: string): ShareChange[];
  stop(): void;
}

/** Follows manifests and receipts; `sidecars` are all that must obey. */
export function startShareLog(link: NatsLink, sidecars: readonly string[], onError: (error: unknown) => void): ShareLog {
  const issued = new Map<string, Issued[]>();
  /** Per sidecar: each revision that it obeyed, and since when. */
  const obeyed = new Map<string, { epoch: number; revision: number; sinceMs: number }[]>();
  const stops = [
    subscribeSafely(
      link,
      SUBJECTS.push(SUBJECTS.manifest),
      ({ data }) => {
        const { epoch, revision, issuedAtMs, live } = decodeManifest(data);
        for (const [rollout, { run, shareBp, off }] of Object.entries(live)) {
          const list = issued.get(rollout) ?? [];
          issued.set(rollout, list);
          if (list.at(-1)?.run !== run)
            list.push({ epoch, revision, run, shareBp: off ? 0 : shareBp, isRollback: off, issuedMs: issuedAtMs });
        }
      },
      onError,
    ),
    subscribeSafely(
      link,
      SUBJECTS.allReceipts,
      ({ data }) => {
        const { sidecar, epoch, revision, sinceMs } = ReceiptSchema.parse(JSON.parse(Buffer.from(data).toString("utf8")));
        const list = obeyed.get(sidecar) ?? [];
        obeyed.set(sidecar, list);
        const last = list.at(-1);
        if (last === undefined || compareRevision({ epoch, revision }, last) > 0) list.push({ epoch, revision, sinceMs });
      },
      onError,
    ),
  ];
  const obeyedMs = (change: Issued): number | undefined => {
    const times = sidecars.map((sidecar) => obeyed.get(sidecar)?.find((one) => compareRevision(one, change) >= 0)?.sinceMs);
    return times.some((time) => time === undefined) ? undefined : Math.max(...times.map((time) => time ?? 0));
  };
  return {
    changes: (rollout) =>
      (issued.get(rollout) ?? []).map((change) => ({
        shareBp: change.shareBp,
        issuedMs: change.issuedMs,
        obeyedMs: obeyedMs(change),
        isRollback: change.isRollback,
      })),
    stop() {
      for (const stop of stops) stop();
    },
  };
}
