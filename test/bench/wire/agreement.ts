import { isDeepStrictEqual } from "node:util";
import type { RuleSet } from "../../../src/contract/rules.ts";
import { compile } from "../../../src/core/decide/compile.ts";
import { decide } from "../../../src/core/decide/decide.ts";
import { factsOf, type PlainRequest } from "../../support/decide-inputs.ts";
import { randomOf } from "../../support/random.ts";
import { type Answer, askAll } from "./ext-proc-client.ts";
import type { RunningServer } from "./servers.ts";

const REQUESTS = 4_000;

/** Asks all servers the same; throws unless each gives the answer that Serin's core decides, and all give the same one. */
export async function refuseUnlessAgreed(ruleSet: RuleSet, servers: readonly RunningServer[]): Promise<number> {
  const requests = randomRequests(Object.values(ruleSet.rollouts).flatMap(({ rules }) => rules.match.hosts));
  const rules = compile(ruleSet);
  let first: readonly Answer[] | undefined;
  for (const server of servers) {
    const answers = await askAll(server.address, requests);
    for (const [index, request] of requests.entries()) {
      const [answer, other] = [answers[index], first?.[index]];
      const { variant, reason, rollout, run, control, bucket } = decide(rules, factsOf(request));
      const governed = rollout === undefined ? {} : { rollout, run: String(run), control: String(control) };
      const wanted = { variant, reason, ...governed, ...(bucket !== undefined && { bucket }) };
      const given = Object.fromEntries(Object.keys(wanted).map((name) => [name, answer?.metadata[name]]));
      if (!isDeepStrictEqual(given, wanted)) throw disagreement(server.title, request, answer, wanted);
      if (first !== undefined && !isDeepStrictEqual(answer, other)) throw disagreement(server.title, request, answer, other);
    }
    first ??= answers;
  }
  return requests.length;
}

const disagreement = (title: string, ...facts: readonly unknown[]): Error =>
  new Error(`${title} decides otherwise (request, its answer, what is expected):\n${facts.map((fact) => JSON.stringify(fact)).join("\n")}`);

/** Requests that reach every rule: hosts with ports and capitals, paths with queries, keys from each source, targets, and nothing at all. */
function randomRequests(hosts: readonly string[]): PlainRequest[] {
  const random = randomOf(20_260_101);
  const pick = <One>(...from: readonly One[]): One | undefined => from[Math.floor(random() * from.length)];
  return Array.from({ length: REQUESTS }, () => {
    const host = pick(...hosts, "nobody.example") ?? "";
    const user = pick(
      `user-${Math.floor(random() * 1e6)}`,
      `Ünïcode-${Math.floor(random() * 1e6)}`,
      "",
      `tester-${Math.floor(random() * 30)}`,
    );
    const session = `s${Math.floor(random() * 1e9).toString(36)}`;
    const headers: (readonly [string, string])[] = [];
    if (random() < 0.7) headers.push(["x-user-id", user ?? ""]);
    if (random() < 0.1) headers.push(["x-staff", pick("yes", "no") ?? ""]);
    if (random() < 0.1) headers.push(["x-staff", "yes"]);
    if (random() < 0.4)
      headers.push(["cookie", pick(`session=${session}`, `a=b; session="${session}"`, `app=v1.2; session=${session}`, "app=v2") ?? ""]);
    return {
      host: pick(host, host, `${host}:8443`, host.toUpperCase()),
      path: pick("/", "/a/b?c=d", "/healthy", "/healthy?x", "/Healthy"),
      headers,
    };
  });
}
