import { stringify } from "yaml";
import { ALERT_RULES } from "./alerts.ts";
import { fleetBoard } from "./fleet-board.ts";
import { rolloutBoard } from "./rollout-board.ts";
import { RECORDING_RULES } from "./rules.ts";
import { sidecarBoard } from "./sidecar-board.ts";

const NOTE = "# Made by `npm run docs` from scripts/monitoring; do not edit.\n";

const rulesText = (name: string, rules: readonly object[]): string =>
  NOTE + stringify({ groups: [{ name, rules }] }, { lineWidth: 0, aliasDuplicateObjects: false });

/** Dashboards by name. */
export const BOARDS = { rollout: rolloutBoard(), fleet: fleetBoard(), sidecar: sidecarBoard() } as const;

/** What is committed under deploy/, by path. */
export const monitoringFiles = (): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(
    Object.entries(BOARDS).map(([name, board]) => [`deploy/grafana/dashboards/${name}.json`, `${JSON.stringify(board, null, 2)}\n`]),
  ),
  "deploy/prometheus/recording.rules.yaml": rulesText("serin-recorded", RECORDING_RULES),
  "deploy/prometheus/alerts.rules.yaml": rulesText("serin", ALERT_RULES),
});
