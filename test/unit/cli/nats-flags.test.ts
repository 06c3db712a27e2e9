import { expect, test } from "vitest";
import { runWith } from "./cli-parts.ts";

test("SERIN_NATS names the server where no flag does", async () => {
  const ran = await runWith(["controller", "--id", "c1"], { defaultNats: "nats://from-env:4222" });
  expect(ran.started).toEqual([{ id: "c1", nats: "nats://from-env:4222", otlp: false }]);
});

test.each([
  { title: "flags", flags: ["--nats-creds", "a.creds", "--nats-ca", "a.pem"], from: {} },
  { title: "the environment where no flag does", flags: [], from: { natsCreds: "a.creds", natsCa: "a.pem" } },
  { title: "flags first", flags: ["--nats-creds", "a.creds", "--nats-ca", "a.pem"], from: { natsCreds: "b.creds", natsCa: "b.pem" } },
])("what NATS is shown is said by $title", async ({ flags, from }) => {
  const nats = { nats: "nats://n", natsCreds: "a.creds", natsCa: "a.pem" };
  const controller = await runWith(["controller", "--id", "c1", "--nats", "nats://n", ...flags], from);
  expect(controller.started).toEqual([{ id: "c1", ...nats, otlp: false }]);
  const sidecar = await runWith(["sidecar", "--id", "s1", "--ext-proc", "unix:a", "--nats", "nats://n", ...flags], from);
  expect(sidecar.started).toEqual([{ id: "s1", extProc: "unix:a", source: nats, otlp: false }]);
});

test("a sidecar that reads a file of rules is told nothing of NATS", async () => {
  const ran = await runWith(["sidecar", "--id", "s1", "--ext-proc", "unix:a", "--rules", "r.json"], { natsCreds: "a.creds" });
  expect(ran.started).toEqual([{ id: "s1", extProc: "unix:a", source: { file: "r.json" }, otlp: false }]);
});

test.each([
  { title: "the flag", flags: ["--nats-replicas", "3"], from: {} },
  { title: "SERIN_NATS_REPLICAS where there is no flag", flags: [], from: { natsReplicas: "3" } },
  { title: "the flag first", flags: ["--nats-replicas", "3"], from: { natsReplicas: "5" } },
])("on how many servers streams are kept is said by $title", async ({ flags, from }) => {
  const { started } = await runWith(["controller", "--id", "c1", "--nats", "nats://n", ...flags], from);
  expect(started).toMatchObject([{ natsReplicas: 3 }]);
});

test("an empty SERIN_NATS_REPLICAS says nothing", async () => {
  const { started } = await runWith(["controller", "--id", "c1", "--nats", "nats://n"], { natsReplicas: "" });
  expect(started).toEqual([{ id: "c1", nats: "nats://n", otlp: false }]);
});

const WHY = "Write 1, 3 or 5: with an even number no more servers may be away than with one less.";

test.each(["2", "three", "03"])("%s servers are refused, with the name of what says so", async (replicas) => {
  const args = ["controller", "--id", "c1", "--nats", "nats://n"];
  const [byVariable, byFlag] = await Promise.all([
    runWith(args, { natsReplicas: replicas }),
    runWith([...args, "--nats-replicas", replicas], {}),
  ]);
  expect([byVariable.code, byVariable.error, byVariable.started]).toEqual([2, `SERIN_NATS_REPLICAS: ${WHY}\n`, []]);
  expect([byFlag.code, byFlag.error, byFlag.started]).toEqual([2, expect.stringMatching(/--nats-replicas.*Write 1, 3 or 5/), []]);
});
