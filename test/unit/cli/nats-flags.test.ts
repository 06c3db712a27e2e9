import { expect, test } from "vitest";
import { ControllerOptionsSchema } from "../../../src/controller/options.ts";
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

test.each([{ replicas: "2" }, { replicas: "three" }, { replicas: "" }])(
  "SERIN_NATS_REPLICAS=$replicas is refused",
  async ({ replicas }) => {
    const startController = (options: unknown) => {
      ControllerOptionsSchema.parse(options);
      return Promise.resolve({ stop: () => Promise.resolve() });
    };
    const { code, error } = await runWith(["controller", "--id", "c1", "--nats", "nats://n"], { natsReplicas: replicas, startController });
    expect({ code, error }).toEqual({
      code: 2,
      error: "--nats-replicas: write 1, 3 or 5: with an even number no more servers may be away than with one less\n",
    });
  },
);
