import type { Hits, VariantsTotals, VariantTotals } from "../contract/variant-report.ts";
import type { OwnNews } from "./checks/own-evidence.ts";
import type { Delta } from "./evidence-deltas.ts";

const NOTHING: VariantTotals = { decided: 0, settled: 0, requests: 0, failed: 0, latency: [], own: {} };

/** Adds new counts to what is known of each variant. Halves are parts of what is counted already. */
export function addToVariants(before: VariantsTotals, found: readonly Delta[]): VariantsTotals {
  const after: Record<string, VariantTotals> = { ...before };
  for (const delta of found) if (delta.half === undefined) after[delta.variant] = withCounts(after[delta.variant] ?? NOTHING, delta);
  return after;
}

function withCounts(totals: VariantTotals, { measure, values }: Delta): VariantTotals {
  const count = values[0] ?? 0;
  switch (measure) {
    case "decided":
    case "shared":
      return { ...totals, decided: totals.decided + count };
    case "settled":
      return { ...totals, settled: totals.settled + count };
    case "failed":
      return { ...totals, failed: totals.failed + count, requests: totals.requests + count };
    case "ok":
    case "refused":
      return { ...totals, requests: totals.requests + count };
    case "latency":
      return { ...totals, latency: values.map((value, bucket) => value + (totals.latency[bucket] ?? 0)) };
    case "elsewhere":
      return totals;
  }
}

/** Adds what own checks found of each variant. */
export function addOwnTo(before: VariantsTotals, own: OwnNews | undefined): VariantsTotals {
  if (own === undefined) return before;
  const after: Record<string, VariantTotals> = { ...before };
  for (const [check, byVariant] of Object.entries(own.variants)) {
    for (const [variant, hits] of Object.entries(byVariant)) {
      const totals = after[variant] ?? NOTHING;
      after[variant] = { ...totals, own: { ...totals.own, [check]: plus(totals.own[check] ?? NO_HITS, hits) } };
    }
  }
  return after;
}

const NO_HITS: Hits = { hits: 0, all: 0 };

/** Two counts together. */
export const plus = (a: Hits, b: Hits): Hits => ({ hits: a.hits + b.hits, all: a.all + b.all });
