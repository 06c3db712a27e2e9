import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { METRICS } from "../../src/contract/names.ts";
import { dashboardOf, HERE, manyOf, marks, oneOf, type Section, UIDS } from "./board.ts";
import { asLimit, figure, lines, table, texts, timeline, word } from "./panels.ts";
import { type Metric, maxBy, series } from "./promql.ts";
import { trafficOf } from "./rollout-traffic.ts";
import { VERDICT_TEXTS, verdictNumber } from "./verdicts.ts";

const OF_ROLLOUT = [...HERE, 'rollout="$rollout"'];
const here = (metric: Metric, ...more: string[]): string => series(metric, [...OF_ROLLOUT, ...more]);
/** One value of the rollout; of two leaders in a moment of change, the larger. */
const one = (metric: Metric, ...more: string[]): string => maxBy("rollout", here(metric, ...more));
const ofCheck = (metric: Metric): string => maxBy("check", here(metric, 'check=~"$check"'));

const NOW: Section = {
  title: "Now",
  panels: [
    word({
      title: "Phase",
      about: "Where the rollout stands. `rollingBack` and `rolledBack`: everyone is on stable. `gate` and `paused` wait for a person.",
      queries: [[maxBy("phase", here(METRICS.rolloutPhase)), "{{phase}}"]],
    }),
    figure({
      title: "Stage",
      about: "Stage in force, of so many; 0 of a strategy without stages, and before the first.",
      unit: "none",
      queries: [
        [one(METRICS.rolloutStage), "stage"],
        [one(METRICS.rolloutStages), "of"],
      ],
    }),
    figure({
      title: "Share set",
      about: "Users that the rules send to the canary.",
      unit: "percentunit",
      queries: [[one(METRICS.rolloutShare), "set"]],
    }),
    word({
      title: "Verdict",
      about: "What all checks say together. `hold` needs more evidence, `unknown` has none; neither goes on.",
      queries: [[maxBy("verdict", here(METRICS.rolloutVerdict)), "{{verdict}}"]],
    }),
    figure({
      title: "Time in this phase",
      about: "Without the time that something held it, as a freeze does.",
      unit: "s",
      queries: [[one(METRICS.rolloutPhaseAge), "time"]],
    }),
    figure({
      title: "Held",
      about: "Whether something keeps it from advancing: a freeze, a window, its turn. `serin status` says what.",
      unit: "none",
      queries: [[one(METRICS.rolloutHeld), "held"]],
    }).mappings(texts({ 0: ["no", "text"], 1: ["held", "orange"] })),
  ],
};

const SHARE: Section = {
  title: "Share",
  panels: [
    lines({
      title: "Share set and seen",
      about:
        "`seen` follows `set` within a minute. Where it stays away: targets bring users by name (that is meant), sidecars are behind, Envoy fails open, or the canary's cluster is missing. `safe` is the largest share that the evidence allows.",
      unit: "percentunit",
      queries: [
        [one(METRICS.rolloutShare), "set"],
        [one(METRICS.rolloutShareSeen), "seen"],
        [one(METRICS.rolloutSafeShare), "safe"],
      ],
    }).min(0),
    lines({
      title: "Sidecars in the way",
      about:
        "`missing` have not confirmed what is served, and growth waits for them; it goes on without those `left behind`; `stopped` took the canary off by themselves after a burst of failures.",
      unit: "none",
      queries: [
        [one(METRICS.rolloutStragglers), "missing"],
        [one(METRICS.rolloutLeftBehind), "left behind"],
        [one(METRICS.rolloutStopped), "stopped"],
      ],
      span: 6,
    }).min(0),
    table(
      {
        title: "Time by phase and stage",
        about:
          "Time spent in the range that is shown. `waiting` is true for time in which something else than evidence was awaited: people, a freeze, sidecars.",
        unit: "s",
        queries: [[`sum by (phase, stage, waiting) (increase(${here(METRICS.rolloutTime)}[$__range]))`, "time"]],
        span: 6,
      },
      "phase",
    ).height(8),
  ],
};

const WHY: Section = {
  title: "Why",
  panels: [
    asLimit(
      lines({
        title: "Odds against the canary",
        about:
          "How strongly all evidence speaks against `no worse than tolerated`: 100 means 100 : 1. At the dashed line it rolls back. Below 1 the evidence speaks for the canary.",
        unit: "none",
        queries: [
          [one(METRICS.rolloutOdds), "odds"],
          [one(METRICS.rolloutOddsThreshold), "rolls back at"],
        ],
      }),
      "rolls back at",
    ),
    timeline(
      {
        title: "What each check says",
        about: "By itself; the verdict is made of all of them. `unknown` for long: the check has no data.",
        unit: "none",
        queries: [[verdictNumber((verdict) => maxBy("check", here(METRICS.checkVerdict, `verdict="${verdict}"`))), "{{check}}"]],
      },
      VERDICT_TEXTS,
    ),
    asLimit(
      lines({
        title: "$check: value and threshold",
        about:
          "Canary minus stable over the whole attempt, within the bounds that the evidence allows, valid whenever they are looked at. Above the dashed line the difference is no longer tolerated: it rolls back when the evidence is strong enough, and takes no step while the upper bound is above. A ratio (0.01 is one point), or the unit of a level of your own.",
        unit: "none",
        queries: [
          [ofCheck(METRICS.checkValue), "value"],
          [ofCheck(METRICS.checkThreshold), "threshold"],
          [ofCheck(METRICS.checkLower), "lower"],
          [ofCheck(METRICS.checkUpper), "upper"],
        ],
        span: 24,
      }),
      "threshold",
    )
      .repeat("check")
      .repeatDirection("h")
      .maxPerRow(3),
    lines({
      title: "What is compared",
      about: "The value of each check on both sides. Where both rise together, something else than the canary is wrong.",
      unit: "none",
      queries: [[maxBy("check, variant", here(METRICS.checkRatio)), "{{check}} {{variant}}"]],
    }),
    lines({
      title: "Age of the evidence",
      about:
        "Time since the canary's last outcome that was judged. A line that climbs means that nobody can tell how the canary is: no stage passes.",
      unit: "s",
      queries: [[one(METRICS.rolloutEvidenceAge), "age"]],
      span: 6,
    }).min(0),
    asLimit(
      lines({
        title: "Cost so far, and allowed",
        about:
          "Failed requests or users in this attempt beyond as many as stable would have failed, as a part of what `blastRadius` allows. At 100 % it rolls back.",
        unit: "percentunit",
        queries: [
          [`${maxBy("kind", here(METRICS.blastRadiusSpent))} / (${maxBy("kind", here(METRICS.blastRadiusAllowed))} > 0)`, "{{kind}}"],
          [`0 * ${maxBy("rollout", here(METRICS.blastRadiusAllowed))} + 1`, "allowed"],
        ],
        span: 6,
      }),
      "allowed",
    ).min(0),
  ],
};

const ENDS: Section = {
  title: "So far",
  panels: [
    figure({
      title: "Promotions",
      about: "In the range that is shown.",
      unit: "none",
      span: 6,
      queries: [[`round(sum(increase(${here(METRICS.promotions)}[$__range])))`, "promotions"]],
    }),
    figure({
      title: "Ways back",
      about: "In the range that is shown, whoever asked for them.",
      unit: "none",
      span: 6,
      queries: [[`round(sum(increase(${here(METRICS.rollbacks)}[$__range])))`, "ways back"]],
    }),
    figure({
      title: "Failures spared",
      about: "At each way back: requests that would have failed besides, had everyone had the canary.",
      unit: "short",
      span: 6,
      queries: [[`round(sum(increase(${here(METRICS.savedRequests)}[$__range])))`, "spared"]],
    }),
    figure({
      title: "Hand-over",
      about: "`overdue`: the old stable is still the way out of every failure. Hand over, or go back.",
      unit: "none",
      span: 6,
      queries: [[one(METRICS.rolloutOverdue), "overdue"]],
    }).mappings(texts({ 0: ["not due", "text"], 1: ["overdue", "orange"] })),
    lines({
      title: "Users who failed",
      about: "Each once, in this attempt. `new` failed nowhere before: those are the canary's, where they are on it.",
      unit: "none",
      queries: [
        [maxBy("variant", here(METRICS.rolloutFailingUsers)), "{{variant}}"],
        [maxBy("variant", here(METRICS.rolloutNewlyFailingUsers)), "{{variant}} new"],
      ],
      span: 24,
    }).min(0),
  ],
};

const phases = (offset: string): string => maxBy("phase", `${here(METRICS.rolloutPhase)}${offset}`);
const stages = (offset: string): string => `count_values("stage", ${maxBy("rollout", `${here(METRICS.rolloutStage)}${offset}`)})`;

/** One rollout: what goes out, how it does, and why. */
export const rolloutBoard = (): Dashboard =>
  dashboardOf({
    uid: UIDS.rollout,
    title: "Serin / Rollout",
    about: "One rollout: what goes out, how it does, and why the controller did what it did. docs/dashboards.md says how to read it.",
    shownBy: [METRICS.controllerLeader, METRICS.decisions],
    variables: [
      oneOf({ name: "rollout", label: "rollout", of: series(METRICS.rolloutInfo, HERE), about: "The rollout to look at." }),
      manyOf({ name: "check", label: "check", of: here(METRICS.checkThreshold), about: "Checks to draw; each has a panel of its own." }),
    ],
    annotations: [
      marks("Phases", `${phases("")} unless ${phases(" offset 15s")}`, { title: "{{phase}}", color: "orange" }),
      marks("Stages", `${stages("")} unless ${stages(" offset 15s")}`, { title: "stage {{stage}}", color: "blue" }),
    ],
    sections: [NOW, SHARE, WHY, trafficOf(OF_ROLLOUT), ENDS],
  });
