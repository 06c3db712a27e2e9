type Kind = "counter" | "gauge" | "histogram";

/** What is known of one metric besides its values. */
export interface MetricFact {
  readonly name: string;
  readonly kind: Kind;
  /** For people; `seconds` where the name says so. */
  readonly unit: string;
  readonly labels: readonly string[];
  readonly meaning: string;
}

/** One line of the tables of facts. */
export const fact = (name: string, [kind, unit]: readonly [Kind, string], labels: readonly string[], meaning: string): MetricFact => ({
  name,
  kind,
  unit,
  labels,
  meaning,
});

/** A label, the most values that it has, and what they are. */
export interface LabelFact {
  readonly most: string;
  readonly meaning: string;
}

/** Every label of a metric. A metric has at most the product of these series. */
export const LABEL_FACTS: Readonly<Record<string, LabelFact>> = {
  rollout: {
    most: "rollouts",
    meaning:
      "Name of a rollout. Its series go away: from the leader an hour after it ended, or when it is deleted; from sidecars 10 minutes after their rules switched it off or let it go.",
  },
  variant: {
    most: "11",
    meaning:
      "Name of a variant; of a rollout that begins with a shadow also `shadow` for its answers to copies, and `shadowed` for stable's to the same requests, both by Envoy's statistics.",
  },
  run: { most: "8", meaning: "Run that decided: the last 8 of a rollout." },
  control: { most: "2", meaning: "`true` for the slice of stable that is counted apart." },
  reason: { most: "7", meaning: "Why it was decided so: `share`, `target`, `cohort`, `no key`, `no rollout`, `off`, `unwatched`." },
  class: {
    most: "5",
    meaning:
      "How a request ended: `ok`, `failed`, `aborted` (the client left), `local` (Envoy's own reply); and `refused` for 4xx of `shadow` and `shadowed`.",
  },
  grpc_status: { most: "18", meaning: "Name of the gRPC status, like `UNAVAILABLE`; `other` for a number that gRPC does not know." },
  kind: { most: "20", meaning: "What happened, or what is counted; the code names them." },
  instead: { most: "2", meaning: "`none` or `invalid`." },
  secret: { most: "2", meaning: "`right` or `wrong`." },
  state: { most: "4", meaning: "`ok`, `stale`, `unwatched`, or `silent`." },
  strategy: { most: "1", meaning: "`stages`, `ramp`, `blueGreen`, `abTest`, `toggle`, `rolling` or `mirror`." },
  mode: { most: "1", meaning: "`act`, `advise` or `observe`." },
  phase: { most: "18", meaning: "Phase of the plan." },
  stage: { most: "50", meaning: "Stage, counted from 1; 0 where there is none." },
  waiting: {
    most: "2",
    meaning: "`true` while something else than time and evidence is waited for: sidecars, people, a freeze, its turn.",
  },
  verdict: { most: "4", meaning: "`advance`, `hold`, `rollback` or `unknown`." },
  check: { most: "27", meaning: "Name of a check: the judge's, and at most 20 of the rollout's own." },
  label: { most: "3", meaning: "Label of the rollout's `mix`." },
  value: { most: "60 in all", meaning: "Value of that label, as the file names it; `other`, `none`." },
  of: { most: "2", meaning: "`canary`, or `all`." },
};
