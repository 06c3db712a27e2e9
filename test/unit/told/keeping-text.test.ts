import { expect, test } from "vitest";
import type { Keeping } from "../../../src/contract/picture.ts";
import { keepingLines } from "../../../src/told/keeping-text.ts";

const whole: Keeping = { cluster: "serin", replicas: 3, leads: "nats-1", behind: [] };

test.each<[Keeping, string[]]>([
  [whole, []],
  [{ ...whole, behind: ["nats-2"] }, ["1 of 3 NATS servers away or behind: nats-2"]],
  [
    { ...whole, leads: null, behind: ["nats-1", "nats-3"] },
    ["NATS takes no writes: too few of the 3 servers that keep live state answer each other; away or behind: nats-1, nats-3"],
  ],
  [{ ...whole, leads: null }, ["NATS takes no writes: too few of the 3 servers that keep live state answer each other"]],
  [{ ...whole, replicas: 1 }, []],
])("of a cluster %j status says %j", (keeping, lines) => {
  expect(keepingLines(keeping)).toEqual(lines);
});
