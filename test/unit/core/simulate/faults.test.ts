import { describe, expect, test } from "vitest";
import { readFault } from "../../../../src/core/simulate/faults.ts";

describe("a fault is read as people write it", () => {
  test.each([
    ["errors 0.5%→2%", { fromMs: 0, failing: { stable: 0.005, canary: 0.02 } }],
    ["errors 0.5% -> 2%", { fromMs: 0, failing: { stable: 0.005, canary: 0.02 } }],
    ["errors 0%->100%", { fromMs: 0, failing: { stable: 0, canary: 1 } }],
    ["dead", { fromMs: 0, failing: { stable: undefined, canary: 1 } }],
    ["latency +30%", { fromMs: 0, slower: 1.3 }],
    ["latency x2", { fromMs: 0, slower: 2 }],
    ["latency ×1.5", { fromMs: 0, slower: 1.5 }],
    [" dead from 10m ", { fromMs: 600_000, failing: { stable: undefined, canary: 1 } }],
    ["errors 1%->2% from 90s", { fromMs: 90_000, failing: { stable: 0.01, canary: 0.02 } }],
  ])("%s", (text, fault) => {
    expect(readFault(text)).toEqual({ fault: { text, ...fault } });
  });
});

describe("what is no fault is refused with what is wrong and how to write one", () => {
  const forms = 'write "errors 0.5%->2%", "latency +30%", "latency x2" or "dead", each with " from 10m" when it begins late';
  test.each([
    ["slow", "not a fault", forms],
    ["", "not a fault", forms],
    ["errors 5%", "not a fault", forms],
    ["latency 30%", "not a fault", forms],
    ["errors 2%->0.5%", "0.5% is not more than the 2% before", "write what stable fails, then what the canary fails"],
    ["errors 2%->2%", "2% is not more than the 2% before", "write what stable fails, then what the canary fails"],
    ["errors 2%->101%", "101% is more than all requests", "write at most 100%"],
    ["latency x1", "not slower than stable", "write more than +0% or x1"],
    ["latency +0%", "not slower than stable", "write more than +0% or x1"],
    ["dead from 10", '"10" is not a duration', "write a whole number and ms, s, m, h or d, like 10m"],
  ])("%j: %s", (text, problem, fix) => {
    expect(readFault(text)).toEqual({ problem, fix });
  });
});
