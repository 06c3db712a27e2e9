import { ENVOY_METRICS } from "../../scripts/monitoring/promql.ts";
import { METRICS } from "../../src/contract/names.ts";
import { type Case, of } from "./alert-case.ts";

/** Of the alerts on sidecars, controllers and Envoy. */
export const FLEET_CASES: readonly Case[] = [
  {
    title: "sidecars that nobody watches are told, once for all",
    alert: "SerinUnwatched",
    input: ["0", "1"].map((id) => of(METRICS.rulesState, 1, 'job="serin"', `instance="${id}"`, 'state="unwatched"')),
    at: "1m",
    fires: [{ job: "serin" }],
  },
  {
    title: "a sidecar that is watched is none",
    alert: "SerinUnwatched",
    input: [of(METRICS.rulesState, 1, 'job="serin"', 'state="ok"')],
    at: "1m",
    fires: [],
  },
  {
    title: "stale rules are told by sidecar",
    alert: "SerinRulesStale",
    input: [of(METRICS.rulesState, 1, 'instance="s:1"', 'state="stale"')],
    at: "1m",
    fires: [{ instance: "s:1", state: "stale" }],
  },
  { title: "sidecars behind split the fleet", alert: "SerinFleetSplit", input: [of(METRICS.fleetBehind, 1)], at: "3m", fires: [{}] },
  { title: "rules take a moment to arrive", alert: "SerinFleetSplit", input: [of(METRICS.fleetBehind, "1x4 0x99")], at: "3m", fires: [] },
  {
    title: "a sidecar that went without a goodbye is told",
    alert: "SerinSidecarSilent",
    input: [of(METRICS.fleetSidecars, 1, 'state="silent"'), of(METRICS.fleetSidecars, 3, 'state="ok"')],
    at: "3m",
    fires: [{}],
  },
  {
    title: "a new leader hears of all within moments",
    alert: "SerinSidecarSilent",
    input: [of(METRICS.fleetSidecars, "4x2 0x99", 'state="silent"')],
    at: "3m",
    fires: [],
  },
  {
    title: "requests without a decision are told",
    alert: "SerinFailedOpen",
    input: [of(METRICS.failedOpen, "0+1x99", 'job="serin"'), of(METRICS.streams, "0+100x99", 'job="serin"')],
    at: "12m",
    fires: [{ job: "serin" }],
  },
  {
    title: "so are they where Envoy's log arrives at a sidecar and no request does",
    alert: "SerinFailedOpen",
    input: [of(METRICS.failedOpen, "0+1x99", 'job="serin"'), of(METRICS.streams, 5, 'job="serin"')],
    at: "12m",
    fires: [{ job: "serin" }],
  },
  {
    title: "so are they, by Envoy, where no sidecar lives that could",
    alert: "SerinFailedOpen",
    input: [
      of(METRICS.failedOpen, "0x8 stale", 'job="serin"'),
      of(METRICS.streams, "0+100x8 stale", 'job="serin"'),
      of(ENVOY_METRICS.failedOpen, "0x8 100+100x90", 'job="envoy"'),
      of(ENVOY_METRICS.streamsStarted, "0+100x8 800x90", 'job="envoy"'),
    ],
    at: "16m",
    fires: [{ job: "envoy" }],
  },
  {
    title: "an Envoy that gets its decisions fails nothing open",
    alert: "SerinFailedOpen",
    input: [of(ENVOY_METRICS.failedOpen, 3, 'job="envoy"'), of(ENVOY_METRICS.streamsStarted, "0+100x99", 'job="envoy"')],
    at: "12m",
    fires: [],
  },
  {
    title: "an idle system fails nothing open",
    alert: "SerinFailedOpen",
    input: [
      of(METRICS.failedOpen, 7, 'job="serin"'),
      of(METRICS.streams, 5, 'job="serin"'),
      of(ENVOY_METRICS.failedOpen, 7, 'job="envoy"'),
      of(ENVOY_METRICS.streamsStarted, 5, 'job="envoy"'),
    ],
    at: "12m",
    fires: [],
  },
  {
    title: "a certificate near its end is told",
    alert: "SerinCertificateExpires",
    input: [of(ENVOY_METRICS.daysOfCertificate, "9x300", 'instance="e:1"')],
    at: "61m",
    fires: [{ instance: "e:1" }],
  },
  {
    title: "an Envoy without certificates is none",
    alert: "SerinCertificateExpires",
    input: [of(ENVOY_METRICS.daysOfCertificate, "4294967295x300")],
    at: "61m",
    fires: [],
  },
];
