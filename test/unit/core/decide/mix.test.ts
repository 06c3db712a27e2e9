import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Mix, valuesIn } from "../../../../src/contract/mix.ts";
import { compile } from "../../../../src/core/decide/compile.ts";
import { compileMix } from "../../../../src/core/decide/mix.ts";
import { staticRulesOf } from "../../../../src/core/decide/rollout-rules.ts";
import { parseRollouts } from "../../../../src/io/documents.ts";
import { factsOf, type PlainRequest, ruleOf, ruleSetOf } from "../../../support/decide-inputs.ts";

/** The values of a request, as a rule of these labels sees them. */
function seen(mix: Mix, request: PlainRequest): string[] {
  const mark = compileMix(mix)(factsOf(request));
  return valuesIn(mix)
    .filter(({ bit }) => (mark >>> bit) & 1)
    .map(({ label, value }) => `${label}=${value}`);
}

const COUNTRY: Mix = { country: { header: "x-country", values: ["SE", "DE"] } };
const BROWSER: Mix = { browser: { userAgent: true, values: ["Firefox", "Edg", "Chrome", "Safari"] } };
const EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36 Edg/124.0";

describe("a user is counted", () => {
  test.each<{ title: string; mix: Mix; request: PlainRequest; values: string[] }>([
    { title: "by a header", mix: COUNTRY, request: { headers: [["x-country", "DE"]] }, values: ["country=DE"] },
    { title: "as other, whatever a client makes up", mix: COUNTRY, request: { headers: [["x-country", "se"]] }, values: ["country=other"] },
    { title: "as other, with an empty value", mix: COUNTRY, request: { headers: [["x-country", ""]] }, values: ["country=other"] },
    { title: "as none, without any", mix: COUNTRY, request: {}, values: ["country=none"] },
    {
      title: "by each value of several headers",
      mix: COUNTRY,
      request: {
        headers: [
          ["x-country", "SE"],
          ["x-country", "XX"],
        ],
      },
      values: ["country=SE", "country=other"],
    },
    {
      title: "by a cookie",
      mix: { app: { cookie: "app", values: ["ios"] } },
      request: { headers: [["cookie", "a=1; app=ios"]] },
      values: ["app=ios"],
    },
    { title: "as none without the cookie", mix: { app: { cookie: "app", values: ["ios"] } }, request: {}, values: ["app=none"] },
    {
      title: "by the items of a claim",
      mix: { role: { claim: ["realm_access", "roles"], values: ["dev", "ops"] } },
      request: { claims: { "realm_access.roles": ["ops", "dev"] } },
      values: ["role=dev", "role=ops"],
    },
    {
      title: "by a claim, in a request without a token",
      mix: { plan: { claim: "plan", values: ["pro"] } },
      request: {},
      values: ["plan=none"],
    },
    {
      title: "by the first product of the list that a browser names",
      mix: BROWSER,
      request: { headers: [["user-agent", EDGE]] },
      values: ["browser=Edg"],
    },
    {
      title: "as other with another product",
      mix: BROWSER,
      request: { headers: [["user-agent", "curl/8.5.0"]] },
      values: ["browser=other"],
    },
    {
      title: "by each label apart",
      mix: { ...COUNTRY, ...BROWSER, plan: { claim: "plan", values: ["free", "pro"] } },
      request: { headers: [["user-agent", "Firefox/126.0"]], claims: { plan: ["pro"] } },
      values: ["country=none", "browser=Firefox", "plan=pro"],
    },
  ])("$title", ({ mix, request, values }) => {
    expect(seen(mix, request)).toEqual(values);
  });

  test("by the labels of the example", () => {
    const text = readFileSync(new URL("../../../../docs/examples/mix.yaml", import.meta.url), "utf8");
    const [rollout] = parseRollouts(text, "mix.yaml");
    if (rollout?.mix === undefined) throw new Error("the example asks for no mix");
    const headers: PlainRequest["headers"] = [
      ["x-country", "SE"],
      ["user-agent", EDGE],
    ];
    expect(seen(rollout.mix, { headers, claims: { plan: ["team"] } })).toEqual(["country=SE", "browser=Edg", "plan=other"]);
    const { mixed, headers: read } = compile(ruleSetOf({ shop: { rules: staticRulesOf(rollout), live: ruleOf().live } }));
    expect([mixed, [...read].toSorted()]).toEqual([1, ["user-agent", "x-country", "x-staff", "x-user-id"]]);
  });
});

test("the largest mix fits into 30 bits, each value with one of its own", () => {
  const values = Array.from({ length: 8 }, (_, index) => `v${index}`);
  const header = { header: "x-a", values };
  const bits = valuesIn({ a: header, b: header, c: header }).map(({ bit }) => bit);
  expect(bits).toEqual(Array.from({ length: 30 }, (_, bit) => bit));
});

test("a cookie is read from its header, and a claim from none", () => {
  const mix: Mix = { app: { cookie: "app", values: ["ios"] }, plan: { claim: "plan", values: ["pro"] } };
  expect([...compile(ruleSetOf({ shop: ruleOf({ mix }) })).headers].toSorted()).toEqual(["cookie", "x-user-id"]);
});
