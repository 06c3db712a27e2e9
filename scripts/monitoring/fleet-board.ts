import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { METRICS } from "../../src/contract/names.ts";
import { dashboardOf, HERE, marks, type Section, UIDS } from "./board.ts";
import { asLimit, figure, lines, table, texts } from "./panels.ts";
import { BESIDE_STABLE, known, type Metric, maxBy, quantile, ratio, series, sumBy } from "./promql.ts";

const here = (metric: Metric, ...more: string[]): string => series(metric, [...HERE, ...more]);
const byRollout = (metric: Metric): string => maxBy("rollout", here(metric));
const rate = (labels: string, metric: Metric, ...more: string[]): string =>
  sumBy(labels, `rate(${here(metric, ...more)}[$__rate_interval])`);

const NOW: Section = {
  title: "Now",
  panels: [
    figure({
      title: "Leader",
      about: "Controllers that lead. One is right; none means that nobody watches, and that shares go back to stable after 30 s.",
      unit: "none",
      queries: [[`sum(${here(METRICS.controllerLeader)})`, "leads"]],
    }).mappings(texts({ 0: ["nobody", "red"] })),
    figure({
      title: "Sidecars",
      about: "Known ones by what they said last. `stale` hears no controller, `unwatched` has sent its shares home, `silent` says nothing.",
      unit: "none",
      queries: [[maxBy("state", here(METRICS.fleetSidecars)), "{{state}}"]],
      span: 8,
    }),
    figure({
      title: "Behind",
      about: "Sidecars that are heard and obey an older rule set than the one published last. For long: the fleet is split.",
      unit: "none",
      queries: [[`max(${here(METRICS.fleetBehind)})`, "behind"]],
    }),
    figure({
      title: "Frozen",
      about: "While a freeze is in force nothing advances; what goes back still does.",
      unit: "none",
      queries: [[`max(${here(METRICS.frozen)})`, "frozen"]],
    }).mappings(texts({ 0: ["no", "text"], 1: ["frozen", "orange"] })),
    figure({
      title: "Failed open",
      about: "Requests a second that Envoy sent to stable without a decision.",
      unit: "reqps",
      queries: [[rate("", METRICS.failedOpen), "undecided"]],
    }),
  ],
};

const ROLLOUTS: Section = {
  title: "Rollouts",
  panels: [
    table(
      {
        title: "All rollouts",
        about: "A name leads to its dashboard. `seen` away from `share`, an old `evidence` or a long `in phase` are worth a look.",
        unit: "none",
        queries: [
          [maxBy("rollout, strategy, mode", here(METRICS.rolloutInfo)), ""],
          [maxBy("rollout, phase", here(METRICS.rolloutPhase)), ""],
          [byRollout(METRICS.rolloutStage), "stage"],
          [byRollout(METRICS.rolloutShare), "share"],
          [byRollout(METRICS.rolloutShareSeen), "seen"],
          [maxBy("rollout, verdict", here(METRICS.rolloutVerdict)), ""],
          [byRollout(METRICS.rolloutPhaseAge), "in phase"],
          [byRollout(METRICS.rolloutEvidenceAge), "evidence"],
          [byRollout(METRICS.rolloutHeld), "held"],
        ],
      },
      "rollout",
    )
      .overrideByRegexp("share|seen", [{ id: "unit", value: "percentunit" }])
      .overrideByRegexp("in phase|evidence", [{ id: "unit", value: "s" }])
      .overrideByName("held", [{ id: "mappings", value: texts({ 0: ["no", "text"], 1: ["held", "orange"] }) }])
      .overrideByName("rollout", [
        {
          id: "links",
          value: [
            {
              title: "This rollout",
              url: `/d/${UIDS.rollout}?var-datasource=\${datasource}&var-rollout=\${__value.raw}&\${__url_time_range}`,
            },
          ],
        },
      ]),
    lines({
      title: "Shares",
      about: "What the rules send to each canary. A line that falls to 0 is a way back.",
      unit: "percentunit",
      queries: [[byRollout(METRICS.rolloutShare), "{{rollout}}"]],
    }).min(0),
    lines({
      title: "Share seen away from share set",
      about: "Seen minus set. Near 0, apart from rollouts whose targets bring users by name.",
      unit: "percentunit",
      queries: [[`${byRollout(METRICS.rolloutShareSeen)} - ${byRollout(METRICS.rolloutShare)}`, "{{rollout}}"]],
    }),
    lines({
      title: "Promotions and ways back",
      about: "In the last 7 days, at each moment.",
      unit: "none",
      queries: [
        [`round(sum(increase(${here(METRICS.promotions)}[7d])))`, "promotions"],
        [`round(sum(increase(${here(METRICS.rollbacks)}[7d])))`, "ways back"],
      ],
      span: 8,
    }).min(0),
    lines({
      title: "Failed on the canary",
      about: "Part of the ended requests of each variant beside stable that failed, rescued ones among them.",
      unit: "percentunit",
      queries: [
        [
          ratio(
            rate("rollout, variant", METRICS.outcomes, BESIDE_STABLE, 'class="failed"'),
            rate("rollout, variant", METRICS.outcomes, BESIDE_STABLE),
          ),
          "{{rollout}} {{variant}}",
        ],
      ],
      span: 8,
    }).min(0),
    asLimit(
      lines({
        title: "Odds, as a part of those that roll back",
        about: "How near each rollout is to its way back, on a scale on which 1 rolls back.",
        unit: "none",
        queries: [
          [known(`${byRollout(METRICS.rolloutOdds)} / ${byRollout(METRICS.rolloutOddsThreshold)}`), "{{rollout}}"],
          ["vector(1)", "rolls back at"],
        ],
        span: 8,
      }),
      "rolls back at",
    ),
  ],
};

const RULES: Section = {
  title: "Rules on their way",
  panels: [
    lines({
      title: "Revision by sidecar",
      about: "All on one line but for moments. `published` is the newest; a line below it is a sidecar behind.",
      unit: "none",
      queries: [
        [maxBy("instance", here(METRICS.ruleRevision)), "{{instance}}"],
        [`max(${here(METRICS.publishedRevision)})`, "published"],
      ],
    }),
    lines({
      title: "Distance between sidecars",
      about:
        "Newest minus oldest revision in force. Above 0 for long: the fleet is split, and users of some sidecars get what others no longer get.",
      unit: "none",
      queries: [[`max(${here(METRICS.ruleRevision)}) - min(${here(METRICS.ruleRevision)})`, "revisions"]],
      span: 6,
    }).min(0),
    lines({
      title: "From publication to force",
      about: "How long a new rule set takes to a sidecar, by the clocks of both machines.",
      unit: "s",
      queries: [0.5, 0.99].map((q) => [
        quantile(q, sumBy("le", `rate(${series(METRICS.rulesLag, HERE, "_bucket")}[$__rate_interval])`)),
        `p${q * 100}`,
      ]),
      span: 6,
    }).min(0),
    asLimit(
      lines({
        title: "Time since a beat",
        about: "Since each sidecar heard that a controller watches. At 5 s nothing grows any more, at 30 s shares go to stable.",
        unit: "s",
        queries: [
          [maxBy("instance", here(METRICS.ruleAge)), "{{instance}}"],
          ["vector(30)", "unwatched at"],
        ],
      }),
      "unwatched at",
    ).min(0),
    lines({
      title: "Sidecars by state",
      about: "As the leader knows them.",
      unit: "none",
      queries: [[maxBy("state", here(METRICS.fleetSidecars)), "{{state}}"]],
      span: 6,
    }).min(0),
    lines({
      title: "A look at all rollouts",
      about: "Time that the leader's tick takes. Towards a second: it has more rollouts than it can look at.",
      unit: "s",
      queries: [0.5, 0.99].map((q) => [
        quantile(q, sumBy("le", `rate(${series(METRICS.tickDuration, HERE, "_bucket")}[$__rate_interval])`)),
        `p${q * 100}`,
      ]),
      span: 6,
    }).min(0),
  ],
};

const phases = (offset: string): string => maxBy("rollout, phase", `${series(METRICS.rolloutPhase, HERE)}${offset}`);

/** All rollouts and all sidecars. */
export const fleetBoard = (): Dashboard =>
  dashboardOf({
    uid: UIDS.fleet,
    title: "Serin / Fleet",
    about: "All rollouts, and whether all sidecars obey the same rules. docs/dashboards.md says how to read it.",
    shownBy: [METRICS.controllerLeader, METRICS.decisions, METRICS.streams],
    annotations: [marks("Phases", `${phases("")} unless ${phases(" offset 15s")}`, { title: "{{rollout}}: {{phase}}", color: "orange" })],
    sections: [NOW, ROLLOUTS, RULES],
  });
