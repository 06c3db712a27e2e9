import { expect, test } from "vitest";
import type { Labels } from "../../../src/contract/groups.ts";
import type { Rollout } from "../../../src/contract/rollout.ts";
import { FleetKeeper } from "../../../src/controller/fleet-keeper.ts";
import { liveOf, planState, receiptOf, rolloutOf } from "./builders.ts";
import { MemoryStore } from "./memory-store.ts";
import { partsOver } from "./parts.ts";

const published = { epoch: 100, revision: 5 };

function fleetOf(labels: Readonly<Record<string, Labels>>): FleetKeeper {
  const fleet = new FleetKeeper(partsOver(new MemoryStore()));
  for (const [sidecar, its] of Object.entries(labels)) fleet.hear(receiptOf(sidecar, { labels: its }));
  return fleet;
}
const standing = (fleet: FleetKeeper, rollout: Rollout) =>
  fleet.standing({ rollout, live: liveOf("cart", planState("pending")) }, published);
const byZone = rolloutOf("cart", { strategy: { type: "rolling", by: "zone", order: ["west", "moon"] } });
const zones = { s1: { zone: "north" }, s2: { zone: "west" }, s3: { zone: "east" }, s4: { zone: "north", rack: "7" }, s5: { rack: "8" } };

test("groups of a rolling strategy are the labels of the sidecars that are heard, those that it orders first", () => {
  expect(standing(fleetOf(zones), byZone)).toEqual({ missing: [], groups: ["west", "east", "north"] });
});

test("a group goes with its last sidecar, and of another strategy nothing is told of groups", () => {
  const fleet = fleetOf(zones);
  fleet.hear(receiptOf("s2", { state: "goodbye" }));
  expect(standing(fleet, byZone)).toEqual({ missing: [], groups: ["east", "north"] });
  expect(standing(fleet, rolloutOf("cart"))).toEqual({ missing: [] });
});
