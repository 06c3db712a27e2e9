import { stringify } from "yaml";
import type { RolloutInput } from "../contract/rollout.ts";

/** The version that the canaries of the demo run. */
export const NEW_VERSION = "2";

/** A rollout of the demo: a shipped preset, nothing of the demo's own but names, and where stable, at `HOST:PORT`, tells its version. */
const demoRollout = (name: string, host: string, stable: string): RolloutInput => ({
  apiVersion: "serin/v1",
  kind: "Rollout",
  name,
  match: { hosts: [host] },
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: "stable" }, canary: { cluster: "canary", tags: { "x-serin-variant": "canary" } } },
  strategy: { use: "fast" },
  handover: {
    when: { http: { url: `http://${stable}/version`, shows: [{ json: "version", equals: NEW_VERSION }] }, every: "1s", times: 2 },
  },
});

/** The same as a file. */
export const demoRolloutText = (name: string, host: string, stable: string): string => stringify(demoRollout(name, host, stable));
