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
