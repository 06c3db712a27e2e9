import type { Behaviour } from "./fates.ts";

/** What happens to a rollout that goes out to real programs, and how it must end. */
export interface LiveScenario {
  readonly id: string;
  readonly title: string;
  /** Of the canary, from the first request on. */
  readonly canary: Behaviour;
  /** Both versions behave so for a while. */
  readonly outage?: { readonly afterS: number; readonly forS: number; readonly both: Behaviour };
  /** Clients that always fail, before the rollout too, among the first users of the canary. */
  readonly brokenClients: number;
  readonly wanted: "rolledBack" | "goesOn";
  /** A rollout that must go on is watched for so long; another must be back by then. */
  readonly watchS: number;
}

/** The judge's benchmark, in small, with everything real. */
export const LIVE_SCENARIOS: readonly LiveScenario[] = [
  { id: "fails_all", title: "the canary fails every request", canary: { failing: 1 }, brokenClients: 0, wanted: "rolledBack", watchS: 120 },
  { id: "fails_3", title: "the canary fails 3 %", canary: { failing: 0.03 }, brokenClients: 0, wanted: "rolledBack", watchS: 400 },
  { id: "slower_30", title: "the canary is slower by 30 %", canary: { times: 1.3 }, brokenClients: 0, wanted: "rolledBack", watchS: 400 },
  { id: "hangs", title: "the canary hangs", canary: { hangs: true }, brokenClients: 0, wanted: "rolledBack", watchS: 120 },
  {
    id: "outage_both",
    title: "both fail 40 % for 40 s",
    canary: {},
    outage: { afterS: 40, forS: 40, both: { failing: 0.4 } },
    brokenClients: 0,
    wanted: "goesOn",
    watchS: 150,
  },
  { id: "broken_clients", title: "3 broken clients on the canary", canary: {}, brokenClients: 3, wanted: "goesOn", watchS: 150 },
];
