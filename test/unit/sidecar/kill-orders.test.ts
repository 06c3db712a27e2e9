import { expect, test } from "vitest";
import type { KillScope } from "../../../src/contract/kills.ts";
import type { Kills } from "../../../src/core/decide/kills.ts";
import type { KillSwitch } from "../../../src/io/kill-switch.ts";
import { createLog } from "../../../src/io/log.ts";
import { createCurrentRules } from "../../../src/sidecar/current-rules.ts";
import { startKillOrders } from "../../../src/sidecar/kill-orders.ts";
import { SidecarOptionsSchema } from "../../../src/sidecar/options.ts";

const settings = SidecarOptionsSchema.parse({ id: "a", extProc: "unix:a.sock", metrics: "127.0.0.1:0", source: { file: "rules.json" } });
const log = createLog({ name: "test", level: "silent" });
const user = "00112233445566ff";

async function killsOf(...scopes: KillScope[]): Promise<Kills> {
  const inForce = scopes.map((scope) => ({ format: 1, scope, off: true, atMs: 1, who: "alice" }) as const);
  const orders: KillSwitch = { hear: () => false, inForce: () => inForce, kept: () => [], refused: () => 0, heard: () => [] };
  const rules = createCurrentRules(() => 0);
  await startKillOrders(orders, settings, { rules, log });
  return rules.compiled().kills;
}
const none = { all: false, rollouts: new Set(), users: new Map(), segments: new Map() };

test.each<{ title: string; scopes: KillScope[]; kills: Partial<Kills> }>([
  { title: "for all", scopes: [{}], kills: { all: true } },
  { title: "for a rollout", scopes: [{ rollout: "cart" }], kills: { rollouts: new Set(["cart"]) } },
  { title: "for a user", scopes: [{ rollout: "cart", user }], kills: { users: new Map([["cart", new Set([user])]]) } },
  { title: "for a segment never counts as one for all", scopes: [{ segment: "staff" }], kills: { segments: new Map([["staff", "all"]]) } },
  {
    title: "for a segment and rollouts are joined",
    scopes: [
      { segment: "staff", rollout: "cart" },
      { segment: "staff", rollout: "shop" },
    ],
    kills: { segments: new Map([["staff", new Set(["cart", "shop"])]]) },
  },
  {
    title: "for a segment of all rollouts hold beside those for one, whichever comes first",
    scopes: [{ segment: "staff", rollout: "cart" }, { segment: "staff" }, { segment: "staff", rollout: "shop" }],
    kills: { segments: new Map([["staff", "all"]]) },
  },
])("orders $title", async ({ scopes, kills }) => {
  expect(await killsOf(...scopes)).toEqual({ ...none, ...kills });
});
