// Counts the steps that a regular expression takes: how often V8 entered each stretch of the engine's code, summed up. Times depend on
// the machine, these do not. A process of its own, because counting resets the counts of whoever else measures coverage.
//
//   node regex-steps.mjs '[{"regex": "a+", "value": "aaa"}]'   →   [123]

import { Session } from "node:inspector";
import process from "node:process";
import { RE2JS } from "re2js";

const session = new Session();
session.connect();
const post = (method, params) => {
  let found;
  session.post(method, params, (error, result) => {
    if (error !== null) throw new Error(error.message);
    found = result;
  });
  return found;
};

function steps() {
  const { result } = post("Profiler.takePreciseCoverage");
  const engine = result.filter(({ url }) => url.includes("re2js"));
  return engine.flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges)).reduce((sum, { count }) => sum + count, 0);
}

post("Profiler.enable");
post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
const counted = JSON.parse(process.argv[2] ?? "[]").map(({ regex, value }) => {
  const compiled = RE2JS.compile(regex);
  steps();
  compiled.testExact(value);
  return steps();
});
process.stdout.write(JSON.stringify(counted));
