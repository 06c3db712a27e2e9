import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { METRICS } from "../../src/contract/names.ts";
import { dashboardOf, HERE, manyOf, marks, type Section, UIDS } from "./board.ts";
import { ENVOY } from "./envoy-section.ts";
import { asLimit, figure, lines, texts, timeline } from "./panels.ts";
import { BESIDE_STABLE, ENVOY_METRICS, type Metric, maxBy, quantile, series, sumBy } from "./promql.ts";

const here = (metric: Metric, ...more: string[]): string => series(metric, [...HERE, ...more]);
const rate = (labels: string, metric: Metric): string => sumBy(labels, `rate(${here(metric)}[$__rate_interval])`);
const each = (metric: Metric): string => maxBy("instance", here(metric));
const quantilesOf = (metric: Metric): [string, string][] =>
  [0.5, 0.99].map((q) => [
    quantile(q, sumBy("le, instance", `rate(${series(metric, HERE, "_bucket")}[$__rate_interval])`)),
    `{{instance}} p${q * 100}`,
  ]);

const STATES = ["ok", "stale", "unwatched"] as const;
const stateNumber = STATES.map(
  (state, index) => `(${maxBy("instance", here(METRICS.rulesState, `state="${state}"`))} == 1) * ${index + 1}`,
).join(" or ");

const DECIDING: Section = {
  title: "Deciding",
  panels: [
    lines({
      title: "Decisions",
      about: "Requests a second by sidecar. Envoy spreads them evenly; one that gets none is down, or Envoy believes so.",
      unit: "reqps",
      queries: [[rate("instance", METRICS.decisions), "{{instance}}"]],
    }).min(0),
    lines({
      title: "Time for a decision",
      about: "Within the sidecar, of one in 16 requests. Envoy waits 100 ms in all, and goes on to stable then.",
      unit: "s",
      queries: quantilesOf(METRICS.decisionDuration),
    }).min(0),
    lines({
      title: "Event-loop delay",
      about:
        "How long a request may wait before it is read. Tens of milliseconds: the machine is too busy, or the sidecar needs more workers.",
      unit: "s",
      queries: quantilesOf(METRICS.eventLoopDelay),
    }).min(0),
    lines({
      title: "Streams",
      about: "One a request. Nearly all reset: Envoy's configuration lacks graceful close. Some: decisions came too late, or users left.",
      unit: "reqps",
      queries: [
        [rate("", METRICS.streams), "begun"],
        [rate("", METRICS.streamResets), "reset"],
      ],
      span: 6,
    }).min(0),
    lines({
      title: "Streams open",
      about: "Begun and not ended. A line that climbs leaks.",
      unit: "none",
      queries: [[each(METRICS.streamsOpen), "{{instance}}"]],
      span: 6,
    }).min(0),
    lines({
      title: "Undecided and misled",
      about:
        "`failed open`: no decision came in time, so stable answered. `by Envoy's count` is the same as Envoy tells it. `another cluster`: the canary was decided, and Envoy lacks a route or cluster.",
      unit: "reqps",
      queries: [
        [rate("", METRICS.failedOpen), "failed open"],
        [rate("", METRICS.envoyFailedOpen), "by Envoy's count"],
        [rate("", METRICS.clusterMissing), "another cluster"],
      ],
    }).min(0),
    lines({
      title: "Surprises",
      about: "What should not happen, by kind. Where one met a request, that went to stable; the log tells more.",
      unit: "cps",
      queries: [[rate("kind", METRICS.surprises), "{{kind}}"]],
    }).min(0),
  ],
};

const OUTCOMES: Section = {
  title: "Outcomes and users",
  panels: [
    lines({
      title: "Access log entries",
      about: "By Envoy's own count. What was dropped is no evidence: sidecars could not take it.",
      unit: "cps",
      queries: [
        [rate("", METRICS.envoyLogsWritten), "written"],
        [rate("", METRICS.envoyLogsDropped), "dropped"],
      ],
      span: 8,
    }).min(0),
    lines({
      title: "Decided and settled",
      about: "Both lines lie on each other. Settled far below decided: outcomes do not arrive, or requests hang.",
      unit: "reqps",
      queries: [
        [rate("", METRICS.decisions), "decided"],
        [rate("", METRICS.settled), "settled"],
      ],
      span: 8,
    }).min(0),
    lines({
      title: "Share set and seen",
      about: "By sidecar, of users decided by share. They part where a sidecar sees few users.",
      unit: "percentunit",
      queries: [
        [maxBy("rollout, variant, instance", here(METRICS.shareSet, BESIDE_STABLE)), "{{rollout}} {{variant}} {{instance}} set"],
        [maxBy("rollout, variant, instance", here(METRICS.shareSeen, BESIDE_STABLE)), "{{rollout}} {{variant}} {{instance}} seen"],
      ],
      span: 8,
    }).min(0),
    lines({
      title: "Cookies",
      about: "Issued in place of none or an invalid one, and answers that the sidecar asked for and never got: then nobody keeps a cookie.",
      unit: "cps",
      queries: [
        [rate("instead", METRICS.cookiesIssued), "instead of {{instead}}"],
        [rate("", METRICS.responsesAsked), "answers asked for"],
        [rate("", METRICS.responsesMissing), "answers missing"],
      ],
    }).min(0),
    lines({
      title: "Requests for an explanation",
      about: "By whether their secret was right. Many wrong ones: somebody guesses.",
      unit: "reqps",
      queries: [[rate("secret", METRICS.debugRequests), "{{secret}}"]],
    }).min(0),
  ],
};

const RULES: Section = {
  title: "Rules and NATS",
  panels: [
    timeline(
      {
        title: "State",
        about: "`stale`: no beat for 5 s, nothing grows. `unwatched`: none for 30 s, shares are at stable.",
        unit: "none",
        queries: [[stateNumber, "{{instance}}"]],
      },
      texts({ 1: ["ok", "green"], 2: ["stale", "orange"], 3: ["unwatched", "red"] }),
    ),
    timeline(
      {
        title: "Connection to NATS",
        about: "Without it a sidecar goes on with the rules that it has.",
        unit: "none",
        queries: [[each(METRICS.natsConnected), "{{instance}}"]],
      },
      texts({ 0: ["away", "red"], 1: ["connected", "green"] }),
    ),
    lines({
      title: "Revision in force",
      about: "All on one line but for moments.",
      unit: "none",
      queries: [[each(METRICS.ruleRevision), "{{instance}}"]],
      span: 8,
    }),
    asLimit(
      lines({
        title: "Time since a beat",
        about: "At 5 s nothing grows, at 30 s shares go to stable.",
        unit: "s",
        queries: [
          [each(METRICS.ruleAge), "{{instance}}"],
          ["vector(30)", "unwatched at"],
        ],
        span: 8,
      }),
      "unwatched at",
    ).min(0),
    lines({
      title: "Age of the rules",
      about: "Time since the rule set in force came into force. It is young after each change, and as old as the last change else.",
      unit: "s",
      queries: [[each(METRICS.rulesSince), "{{instance}}"]],
      span: 8,
    }).min(0),
    figure({
      title: "Rule sets refused",
      about: "In the range that is shown. The last good ones stay in force; the log says what was wrong.",
      unit: "none",
      queries: [[`sum(increase(${here(METRICS.rulesRejected)}[$__range]))`, "refused"]],
    }),
    figure({
      title: "Segments awaited",
      about: "Parts of the rules that are still to be fetched; the version before is asked.",
      unit: "none",
      queries: [[`sum(${here(METRICS.segmentsAwaited)})`, "awaited"]],
    }),
    figure({
      title: "Kill switches",
      about: "Signed orders to switch off that are in force, on the sidecar with the most.",
      unit: "none",
      queries: [[`max(${here(METRICS.kills)})`, "in force"]],
    }),
    figure({
      title: "Orders refused",
      about: "In the range that is shown: no known operator signed them, or they cannot be read.",
      unit: "none",
      queries: [[`sum(increase(${here(METRICS.killsRefused)}[$__range]))`, "refused"]],
    }),
    figure({
      title: "NATS connected again",
      about: "In the range that is shown: times that the connection was lost and came back.",
      unit: "none",
      queries: [[`sum(increase(${here(METRICS.natsReconnects)}[$__range]))`, "times"]],
    }),
    figure({
      title: "Workers",
      about: "With `--workers`: processes that serve, and those that died and were started again in the range that is shown.",
      unit: "none",
      queries: [
        [`sum(${here(METRICS.workers)})`, "serve"],
        [`sum(increase(${here(METRICS.workersRestarted)}[$__range]))`, "restarted"],
        [`sum(increase(${here(METRICS.workersUnanswered)}[$__range]))`, "did not answer"],
      ],
    }),
  ],
};

const revisions = (offset: string): string => `count_values("revision", max(${series(METRICS.ruleRevision, HERE)}${offset}))`;

/** The sidecars, one by one. */
export const sidecarBoard = (): Dashboard =>
  dashboardOf({
    uid: UIDS.sidecar,
    title: "Serin / Sidecar",
    about: "Sidecars one by one: how they decide, what they hear, and what Envoy says of them. docs/dashboards.md says how to read it.",
    shownBy: [METRICS.streams],
    variables: [
      manyOf({ name: "envoy_job", label: "job", of: ENVOY_METRICS.streamsStarted, about: "Scrape jobs of Envoys." }),
      manyOf({
        name: "envoy_instance",
        label: "instance",
        of: series(ENVOY_METRICS.streamsStarted, ['job=~"$envoy_job"']),
        about: "Envoys of those jobs.",
      }),
    ],
    annotations: [
      marks("Rules", `${revisions("")} unless ${revisions(" offset 15s")}`, { title: "revision {{revision}}", color: "purple" }),
    ],
    sections: [DECIDING, OUTCOMES, RULES, ENVOY],
  });
