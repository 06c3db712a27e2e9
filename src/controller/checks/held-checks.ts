import type { LiveState } from "../../contract/live.ts";
import type { CountedCheck, OwnCheckInFile, WebhookCheck } from "../../contract/own-checks.ts";
import type { Rollout } from "../../contract/rollout.ts";
import type { Hits } from "../../contract/variant-report.ts";
import type { Counts } from "../../core/judge/bet.ts";
import type { GaugeSample } from "../../core/judge/gauge.ts";
import type { OutsideFinding } from "../../core/judge/outside.ts";
import { gaugesIn } from "../../core/judge/own-policy.ts";
import { sideOf } from "../../core/judge/types.ts";
import { isJudged } from "../../core/plan/judged.ts";
import { plus } from "../variant-tally.ts";
import type { CounterReading } from "./counter-readings.ts";
import type { OwnNews } from "./own-evidence.ts";
import type { WebhookAnswer } from "./webhook.ts";

/** A rollout that may have checks of its own. */
export interface Checked {
  readonly name: string;
  readonly rollout: Rollout;
  readonly live: LiveState;
}

/** What is known of one rollout's own checks in one attempt. */
export interface Held {
  readonly firstRun: number;
  readonly rollout: Rollout;
  /** What is asked now, and the monotonic time at which it is asked next. */
  readonly busy: Set<string>;
  readonly dueMs: Map<string, number>;
  /** Found since it was last taken. */
  news: Pick<Mutable<OwnNews>, "counts" | "samples" | "hits" | "variants">;
  isNew: boolean;
  /** Where counters stood, and the monotonic time at which both sides last counted something. */
  readonly counters: Map<string, CounterReading>;
  readonly grownMs: Map<string, number>;
  readonly answers: Map<string, WebhookAnswer>;
  /** Checks that could not be read when last tried, or that nobody tried yet. */
  readonly problems: Map<string, string>;
}

type Mutable<Of> = { -readonly [Key in keyof Of]: Of[Key] };

/** The problem of a check that nobody tried to read yet. */
export const UNREAD = "not read yet";

/** Nothing read yet. */
export function begun(rollout: Rollout, firstRun: number): Held {
  const unread = [...(rollout.checks.own ?? []).filter((check) => !("feedback" in check)), ...gaugesIn(rollout.checks)];
  return {
    firstRun,
    rollout,
    busy: new Set(),
    dueMs: new Map(),
    news: { counts: {}, samples: {}, hits: {}, variants: {} },
    isNew: false,
    counters: new Map(),
    grownMs: new Map(),
    answers: new Map(),
    problems: new Map(unread.map(({ name }) => [name, UNREAD])),
  };
}

/** Only while users may be on the canary, and somebody decides what becomes of it. */
export const isAsked = ({ rollout: { checks }, live: { plan } }: Checked): boolean =>
  (checks.saturation !== undefined || (checks.own ?? []).length > 0) && plan.phase !== "pending" && isJudged(plan);

/** Whether a check is of two counters. */
export const isCounted = (check: OwnCheckInFile): check is CountedCheck => "prometheus" in check;

/** Whether a check is a service's. */
export const isWebhook = (check: OwnCheckInFile): check is WebhookCheck => "webhook" in check;

/** Adds what was counted of a check. */
export function addCounts({ news }: Held, name: string, more: Counts): void {
  const before = news.counts[name] ?? { canaryHits: 0, canary: 0, stableHits: 0, stable: 0 };
  const counts = {
    canaryHits: before.canaryHits + more.canaryHits,
    canary: before.canary + more.canary,
    stableHits: before.stableHits + more.stableHits,
    stable: before.stable + more.stable,
  };
  news.counts = { ...news.counts, [name]: counts };
}

/** Adds a gauge's values. */
export function addSampleTo({ news }: Held, name: string, sample: GaugeSample): void {
  news.samples = { ...news.samples, [name]: [...(news.samples[name] ?? []), sample] };
}

/** Adds what was counted of a check on one variant. */
export function addToVariant({ news }: Held, { check, variant }: Readonly<{ check: string; variant: string }>, more: Hits): void {
  const before = news.variants[check] ?? {};
  const its = plus(before[variant] ?? { hits: 0, all: 0 }, more);
  news.variants = { ...news.variants, [check]: { ...before, [variant]: its } };
}

/** Adds an event of a user of one variant. */
export function addHit(held: Held, name: string, variant: string): void {
  const { news } = held;
  const side = sideOf(variant);
  const before = news.hits[name] ?? { stable: 0, canary: 0 };
  addToVariant(held, { check: name, variant }, { hits: 1, all: 0 });
  news.hits = { ...news.hits, [name]: { ...before, [side]: before[side] + 1 } };
}

/** What stands of webhooks, and of what cannot be read. */
export function findingsOf({ rollout, problems, answers }: Held): OutsideFinding[] {
  const critical = new Set(
    (rollout.checks.own ?? []).flatMap((check) => ("weight" in check && check.weight === "critical" ? [check.name] : [])),
  );
  const unread = [...problems].map(([name, reason]) => ({ name, verdict: "unknown" as const, reason }));
  const answered = [...answers].flatMap(([name, answer]) => (problems.has(name) ? [] : [{ name, ...answer }]));
  return [...unread, ...answered].map((finding) => ({ ...finding, isCritical: critical.has(finding.name) }));
}
