import { hasShadow } from "../contract/course.ts";
import { SHADOW, SHADOW_VARIANTS, SHADOWED } from "../contract/names.ts";
import { type Rollout, STABLE } from "../contract/rollout.ts";
import { REFUSED_CHECK } from "../core/judge/policy.ts";
import type { EvidenceBatch } from "../core/judge/types.ts";
import type { Delta } from "./evidence-deltas.ts";
import { batchOf } from "./tally.ts";

/** New counts of users' requests, and those of a shadow with what it copies, which no user feels. */
export function apart({ strategy }: Rollout, found: readonly Delta[]): Readonly<Record<"ofUsers" | "ofShadow", readonly Delta[]>> {
  if (!hasShadow(strategy)) return { ofUsers: found, ofShadow: [] };
  const isOfShadow = ({ variant }: Delta): boolean => SHADOW_VARIANTS.includes(variant);
  return { ofUsers: found.filter((delta) => !isOfShadow(delta)), ofShadow: found.filter(isOfShadow) };
}

/** The judge's view of a shadow: the copies' answers as the canary's, against stable's to the same requests. */
export function shadowBatch(found: readonly Delta[], run: number, nowMs: number): EvidenceBatch {
  const compared = found.map((delta) => ({ ...delta, variant: delta.variant === SHADOWED ? STABLE : delta.variant }));
  const { split: _split, halves: _halves, ...batch } = batchOf(compared, { run, shareBp: 0 }, nowMs);
  const refused = (variant: string): number =>
    found.reduce((sum, { measure, variant: of, values }) => (measure === "refused" && of === variant ? sum + Number(values[0]) : sum), 0);
  const counts = {
    canaryHits: refused(SHADOW),
    canary: batch.canary.requests,
    stableHits: refused(SHADOWED),
    stable: batch.stable.requests,
  };
  return { ...batch, own: { [REFUSED_CHECK.name]: counts } };
}
