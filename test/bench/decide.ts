/** Time of one decision with 1, 100 and 1,000 rollouts on other hosts: `npm run bench`. */
import { cpus } from "node:os";
import process from "node:process";
import { compile } from "../../src/core/decide/compile.ts";
import { decide } from "../../src/core/decide/decide.ts";
import { factsOf, ruleOf, ruleSetOf } from "../support/decide-inputs.ts";

const ROUNDS = 15;
const CALLS = 20_000;

process.stdout.write(`${cpus()[0]?.model ?? "unknown processor"}, Node ${process.versions.node}\n`);
const request = factsOf({ host: "shop.example", path: "/checkout/1?x=2", headers: [["x-user-id", "user-4711"]] });
for (const others of [0, 99, 999]) {
  const rollouts = { checkout: ruleOf({ match: { hosts: ["shop.example"], paths: [{ prefix: "/checkout" }] } }) };
  const rest = Array.from({ length: others }, (_, index) => [
    `r${index}`,
    ruleOf({ match: { hosts: [`h${index}.example`], paths: [{ prefix: "/" }] } }),
  ]);
  const rules = compile(ruleSetOf({ ...rollouts, ...Object.fromEntries(rest) }));
  const times = Array.from({ length: ROUNDS }, () => {
    const begin = process.hrtime.bigint();
    for (let call = 0; call < CALLS; call += 1) decide(rules, request);
    return Number(process.hrtime.bigint() - begin) / CALLS;
  }).toSorted((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)] ?? 0;
  process.stdout.write(
    `${others + 1} rollouts: median ${median.toFixed(0)} ns, slowest round ${(times.at(-1) ?? 0).toFixed(0)} ns a decision\n`,
  );
}
