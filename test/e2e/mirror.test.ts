import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { compile } from "../../src/core/decide/compile.ts";
import { decide } from "../../src/core/decide/decide.ts";
import { staticRulesOf } from "../../src/core/decide/rollout-rules.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { parseRollouts } from "../../src/io/documents.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { factsOf, ruleOf, ruleSetOf } from "../support/decide-inputs.ts";
import { askEcho } from "../support/echo-client.ts";
import { type EchoedRequest, type EchoUpstream, startEchoUpstream } from "../support/echo-upstream.ts";
import { type Edge, type EdgeOptions, startEdge } from "../support/edge.ts";
import { withCluster } from "../support/edge-config.ts";
import { REFUSING } from "../support/edge-upstreams.ts";
import { users } from "../support/stack.ts";

/** The example at 100 % of its users on the canary, one like it that copies POSTs of all, and one whose shadow Envoy does not know. */
async function rollouts() {
  const text = await readFile(join(packageRoot(), "docs", "examples", "mirror.yaml"), "utf8");
  const another = (name: string, from: string | RegExp, to: string): string =>
    text
      .replace("name: catalogue", `name: ${name}`)
      .replace("[catalogue.example]", `[${name}.example]`)
      .replace("10%", "100%")
      .replace(from, to);
  return parseRollouts(
    [text, another("search", "[GET, HEAD]", "[GET, POST]"), another("nowhere", "cluster: shadow", "cluster: nowhere")].join("\n---\n"),
    "mirror.yaml",
  );
}

const copiedUsers = async (among: readonly string[]): Promise<readonly string[]> => {
  const rules = compile(ruleSetOf(Object.fromEntries((await rollouts()).map((rollout) => [rollout.name, ruleOf(staticRulesOf(rollout))]))));
  return among.filter((user) => decide(rules, factsOf({ host: "catalogue.example", headers: [["x-user-id", user]] })).mirror !== undefined);
};

const ask = (edge: Edge, user: string, more: Parameters<typeof askEcho>[1] & { host?: string } = {}) => {
  const { host = "catalogue.example", ...options } = more;
  return askEcho(edge.envoy.port, { ...options, headers: { host, "x-user-id": user } });
};

describe("through a real Envoy, a shadow", () => {
  let upstreams: EchoUpstream[] = [];
  let shadow: EchoUpstream;
  let edge: Edge;
  const start = async (shadowAddress: string): Promise<Edge> => {
    const [stable = "", canary = ""] = upstreams.map(({ address }) => address);
    const options: EdgeOptions = { stable, canary, change: withCluster("shadow", shadowAddress), rollouts: await rollouts() };
    return startEdge({ ...options, shares: { catalogue: 10_000, search: 0, nowhere: 0 } });
  };
  beforeAll(async () => {
    upstreams = await Promise.all([startEchoUpstream("stable"), startEchoUpstream("canary")]);
    shadow = await startEchoUpstream("shadow");
    edge = await start(shadow.address);
  });
  afterAll(async () => {
    await edge.stop();
    await Promise.all([...upstreams, shadow].map((upstream) => upstream.stop()));
  });

  /** What the shadow gets while `act` runs, and until a last request of its own is there too. */
  async function copiesOf(act: () => Promise<void>): Promise<readonly EchoedRequest[]> {
    const before = shadow.seen.length;
    await act();
    const last = `/last/${before}`;
    await ask(edge, "ann", { path: last, host: "search.example" });
    const isThere = (): true | undefined => (shadow.seen.some(({ path }) => path === last) ? true : undefined);
    await waitFor(isThere, { deadlineMs: 10_000, what: "the last copy" });
    return shadow.seen.slice(before).filter(({ path }) => path !== last);
  }

  test("gets copies of the requests of its share of the users, who hear from the canary alone", async () => {
    const among = users(200);
    const wanted = await copiedUsers(among);
    const copies = await copiesOf(async () => {
      for (const user of among) expect((await ask(edge, user)).answeredBy).toBe("canary");
    });
    expect(new Set(copies.map(({ headers }) => headers["x-user-id"]))).toEqual(new Set(wanted));
    expect(copies.length).toBe(wanted.length);
    expect(wanted.length).toBeGreaterThan(5);
    expect(wanted.length).toBeLessThan(40);
  });

  test("gets no copy of what changes something", async () => {
    const [user = ""] = await copiedUsers(users(200));
    const copies = await copiesOf(async () => {
      for (const method of ["POST", "PUT", "DELETE", "PATCH"]) await ask(edge, user, { method, body: "a" });
    });
    expect(copies).toEqual([]);
  });

  test("gets it where the method is named, with the body and the host", async () => {
    const copies = await copiesOf(async () => {
      await ask(edge, "ann", { method: "POST", body: "hello", host: "search.example" });
    });
    expect(copies).toMatchObject([{ method: "POST", body: "hello", headers: { host: "search.example" } }]);
  });

  test("gets one copy of a request that is tried twice", async () => {
    const [user = ""] = await copiedUsers(users(200));
    const copies = await copiesOf(async () => {
      expect((await ask(edge, user, { path: "/fail/canary" })).answeredBy).toBe("stable");
    });
    expect(copies.map(({ path }) => path)).toEqual(["/fail/canary"]);
  });

  test("is chosen by nobody's own header", async () => {
    const copies = await copiesOf(async () => {
      await askEcho(edge.envoy.port, { headers: { host: "other.example", "x-user-id": "ann", "x-serin-mirror": "shadow" } });
    });
    expect(copies).toEqual([]);
  });

  test("that Envoy does not know costs its users nothing", async () => {
    expect((await ask(edge, "ann", { host: "nowhere.example" })).answeredBy).toBe("stable");
  });

  test("that fails or is down costs its users nothing", async () => {
    expect((await ask(edge, "ann", { path: "/fail/shadow", host: "search.example" })).answeredBy).toBe("stable");
    const withoutShadow = await start(REFUSING);
    onTestFinished(withoutShadow.stop);
    for (const user of users(20)) {
      expect((await ask(withoutShadow, user, { host: "search.example" })).answeredBy).toBe("stable");
    }
    const failed = (): Promise<number> => withoutShadow.envoy.stat("cluster.shadow.upstream_rq_503");
    await waitFor(async () => ((await failed()) === 20 ? true : undefined), {
      deadlineMs: 10_000,
      what: "Envoy to count the failed copies",
    });
  });
});
