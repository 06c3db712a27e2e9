import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect } from "vitest";
import { readRuleSet } from "../../../src/io/rules-reader.ts";
import { readPlan } from "../../../src/io/store.ts";
import { runWith } from "../../unit/cli/cli-parts.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { apiOf, command, longStage, yaml } from "./api-world.ts";
import { test } from "./world.ts";

describe("what is handed over by HTTP", () => {
  test("tells two sidecars that are forgotten under the same key apart", async ({ world }) => {
    const { ask } = await apiOf(world);
    const [one, two] = [await world.sidecar("one"), await world.sidecar("two")];
    await world.apply(documentOf("cart", { strategy: longStage }));
    await world.phase("cart", "stage");
    await world.knows("one", "two");
    await Promise.all([one.stop(), two.stop()]);
    const forget = (id: string) => ask(`/v1/sidecars/${id}/forget`, command({}, { "idempotency-key": "clean up" }));
    for (const id of ["one", "two", "one"])
      expect(await forget(id)).toMatchObject({ status: 200, body: { message: expect.stringContaining(`sidecar ${id} is forgotten`) } });
  });

  test("takes segments, whose users it hashes, and a rollout that asks for one", async ({ world }) => {
    const { ask } = await apiOf(world);
    const segment = { apiVersion: "serin/v1", kind: "Segment", name: "testers", users: ["ann", "ben", "ann"] };
    const rollout = documentOf("cart", {
      strategy: longStage,
      targets: [{ name: "testers", variant: "canary", when: { segment: "testers" } }],
    });
    const body = [segment, rollout].map((document) => JSON.stringify(document)).join("\n---\n");
    const dry = await ask("/v1/apply?dryRun=true", { ...yaml({}), body: JSON.stringify(segment) });
    expect(dry.body).toMatchObject({ replies: [{ name: "segment testers", result: "done", message: "segment testers is valid" }] });
    const { status, body: said } = await ask("/v1/apply", { ...yaml({}), body });
    expect([status, said]).toMatchObject([
      200,
      {
        replies: [
          { name: "segment testers", message: "apply: 2 users in 1 chunks" },
          { name: "cart", phase: "pending" },
        ],
      },
    ]);
    const stored = await readRuleSet(world.link);
    expect(stored?.segments).toMatchObject({ testers: expect.anything() });
    expect(await ask("/v1/apply", yaml(segment))).toMatchObject({ body: { replies: [{ result: "unchanged" }] } });
  });

  test("applies nothing that an operator has switched off", async ({ world }) => {
    const { ask, file } = await apiOf(world);
    const pem = join(dirname(file), "operator.pem");
    await writeFile(pem, generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }));
    await runWith(["kill", "cart", "--reason", "wrong prices", "--sign-with", pem, "--nats", world.server.url], { nowMs: Date.now });
    expect(await ask("/v1/apply", yaml(documentOf("cart", { strategy: longStage })))).toMatchObject({
      status: 409,
      body: { detail: expect.stringMatching(/^cart: switched off by .* \(wrong prices\); `serin kill cart --lift` first$/) },
    });
    expect(await readPlan(world.link, "cart")).toBeUndefined();
  });
});
