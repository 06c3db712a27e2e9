import type { OutcomeClass } from "../contract/evidence.ts";
import { STABLE } from "../contract/names.ts";
import type { ReflexRule } from "../contract/reflex.ts";
import type { CellLabels } from "./cell.ts";

/** Stable is healthy when of so many of its requests at least, within the last 5 to 10 s, no more than this part failed. */
const STABLE_LEAST = 10;
const STABLE_PART = 0.1;
const WINDOW_MS = 5_000;

/** A run of failures of one canary. */
export interface Streak {
  readonly failures: number;
  readonly users: number;
}

interface Parts {
  nowMs(): number;
  /** The rule of a rollout while its canary may be stopped under this run: undefined without one, of another run, and once it is stopped. */
  ruleOf(rollout: string, run: number): ReflexRule | undefined;
  stop(rollout: string, streak: Streak): void;
}

type Ended = CellLabels & Readonly<{ class: OutcomeClass; bucket?: number | undefined }>;

interface Seen {
  run: number;
  failures: number;
  readonly users: Set<number | undefined>;
  /** Of stable: in the window under way, and in the one before. */
  now: { requests: number; failed: number; sinceMs: number };
  before: { requests: number; failed: number };
}

/** Watches outcomes for canaries that fail one request after the other while stable is well. */
export function createReflex({ nowMs, ruleOf, stop }: Parts): { ended(outcome: Ended): void } {
  const all = new Map<string, Seen>();
  return {
    ended(outcome) {
      const { rollout, run, variant, class: kind } = outcome;
      if (kind !== "ok" && kind !== "failed") return;
      const rule = ruleOf(rollout, run);
      if (rule === undefined) return;
      const seen = seenIn(all, rollout, nowMs());
      if (variant === STABLE) {
        seen.now.requests += 1;
        if (kind === "failed") seen.now.failed += 1;
        return;
      }
      if (seen.run !== run || kind === "ok") {
        seen.run = run;
        seen.failures = 0;
        seen.users.clear();
      }
      if (kind === "ok") return;
      seen.failures += 1;
      if (seen.users.size < rule.users) seen.users.add(outcome.bucket);
      if (seen.failures < rule.failures || seen.users.size < rule.users || !isWell(seen)) return;
      stop(rollout, { failures: seen.failures, users: seen.users.size });
    },
  };
}

function seenIn(all: Map<string, Seen>, rollout: string, atMs: number): Seen {
  const seen = all.get(rollout) ?? {
    run: 0,
    failures: 0,
    users: new Set(),
    now: { requests: 0, failed: 0, sinceMs: atMs },
    before: { requests: 0, failed: 0 },
  };
  all.set(rollout, seen);
  const ageMs = atMs - seen.now.sinceMs;
  if (ageMs < WINDOW_MS) return seen;
  seen.before = ageMs < 2 * WINDOW_MS ? seen.now : { requests: 0, failed: 0 };
  seen.now = { requests: 0, failed: 0, sinceMs: atMs };
  return seen;
}

function isWell({ now, before }: Seen): boolean {
  const requests = now.requests + before.requests;
  return requests >= STABLE_LEAST && now.failed + before.failed <= STABLE_PART * requests;
}
