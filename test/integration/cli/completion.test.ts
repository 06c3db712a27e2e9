import { expect } from "vitest";
import { runWith } from "../../unit/cli/cli-parts.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { test } from "../controller/world.ts";

test("names of rollouts that are begun are completed, from the server that is named or else from the usual one", async ({ world }) => {
  const asked = (...words: string[]): Promise<{ out: string }> => runWith(["complete", "--", ...words], { defaultNats: world.server.url });
  await world.leader("a");
  expect(await asked("status", "")).toMatchObject({ code: 0, out: "" });
  for (const name of ["cart", "checkout", "pay"]) await world.apply(documentOf(name, { match: { hosts: [`${name}.example`] } }));
  expect(await asked("status", "c")).toMatchObject({ out: "cart\trollout\ncheckout\trollout\n" });
  const named = await runWith(["complete", "--", "abort", "--nats", world.server.url, "p"], { defaultNats: "nats://127.0.0.1:1" });
  expect(named).toMatchObject({ code: 0, out: "pay\trollout\n" });
});
