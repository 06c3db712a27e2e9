import { expect, test } from "vitest";
import { replicationOf } from "../../../src/controller/replication.ts";
import type { Logger } from "../../../src/io/log.ts";

test("a stream on fewer servers than wanted is said once, with the command that mends it", () => {
  const said: unknown[] = [];
  // Only what it says.
  const log = { warn: (...line: unknown[]) => void said.push(line) } as unknown as Logger;
  const { replicas, onFewer } = replicationOf({ natsReplicas: 3 }, log);
  for (const stream of ["SERIN_STATE", "SERIN_AUDIT", "SERIN_STATE"]) onFewer(stream, 1);
  const what = "a stream is kept on fewer NATS servers than --nats-replicas says";
  expect([replicas, said]).toEqual([
    3,
    ["SERIN_STATE", "SERIN_AUDIT"].map((stream) => [{ stream, replicas: 1, fix: `nats stream edit ${stream} --replicas 3` }, what]),
  ]);
});
