import { stringify } from "yaml";
import type { RolloutInput } from "../contract/rollout.ts";

/** A rollout of the demo: a shipped preset, nothing of the demo's own but names. */
const demoRollout = (name: string, host: string): RolloutInput => ({
  apiVersion: "serin/v1",
  kind: "Rollout",
  name,
  match: { hosts: [host] },
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: "stable" }, canary: { cluster: "canary", tags: { "x-serin-variant": "canary" } } },
  strategy: { use: "fast" },
});

/** The same as a file. */
export const demoRolloutText = (name: string, host: string): string => stringify(demoRollout(name, host));
