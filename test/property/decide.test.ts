import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { lanesOf } from "../../src/contract/lanes.ts";
import { RuleSetSchema } from "../../src/contract/rules.ts";
import { BUCKETS, bucketOf, controlStart, murmur3, murmur3Text, thresholdOf } from "../../src/core/decide/bucket.ts";
import { type CompiledRules, compile } from "../../src/core/decide/compile.ts";
import { decide, decideToggles } from "../../src/core/decide/decide.ts";
import { explain } from "../../src/core/decide/explain.ts";
import { type Decision, type RequestFacts } from "../../src/core/decide/types.ts";
import { factsOf, ruleOf, ruleSetOf } from "../support/decide-inputs.ts";
import { plainBucket, plainMurmur3, plainVariant } from "../support/plain-bucketing.ts";
import { kills, requests, ruleSets, shareBp, texts } from "./decide-arbitraries.ts";

const variantAt = (salt: string, key: string, share: number): string =>
  decide(compile(ruleSetOf({ checkout: ruleOf({ salt }, { shareBp: share }) })), factsOf({ headers: [["x-user-id", key]] })).variant;

const key = texts.filter((text) => text !== "");

describe("the hash", () => {
  test.prop([fc.uint8Array({ maxLength: 64 }), fc.nat(0xffffffff)])("of bytes is the plain one's", (bytes, seed) => {
    expect(murmur3(bytes, seed)).toBe(Number(plainMurmur3(bytes, BigInt(seed))));
  });

  test.prop([texts, fc.nat(0xffffffff)])("of a text is that of its UTF-8 bytes, by the plain one too", (text, seed) => {
    const hash = murmur3Text(text, seed);
    expect(hash).toBe(murmur3(new TextEncoder().encode(text), seed));
    expect(hash).toBe(Number(plainMurmur3(text, BigInt(seed))));
  });

  test.prop([texts, texts])("gives a bucket that is an unsigned number of 32 bits, and the plain one's", (salt, text) => {
    const bucket = bucketOf(salt, text);
    expect(bucket >= 0 && bucket < BUCKETS && Number.isInteger(bucket)).toBe(true);
    expect(bucket).toBe(plainBucket(salt, text));
  });
});

describe("the share", () => {
  test.prop([texts, key, shareBp])("gives the variant that the plain twin expects", (salt, text, share) => {
    expect(variantAt(salt, text, share)).toBe(plainVariant(salt, text, share));
  });

  test.prop([texts, key, shareBp, shareBp])("never takes the canary away by growing", (salt, text, a, b) => {
    const [low, high] = [variantAt(salt, text, Math.min(a, b)), variantAt(salt, text, Math.max(a, b))];
    expect([low, high]).not.toEqual(["canary", "stable"]);
  });

  test.prop([texts, key, key, shareBp])("takes back first who came last when it shrinks", (salt, one, other, share) => {
    const percents = Array.from({ length: 101 }, (_, percent) => percent * 100);
    const joinedAt = (text: string): number => percents.findIndex((percent) => variantAt(salt, text, percent) === "canary");
    const [early, late] = joinedAt(one) <= joinedAt(other) ? [one, other] : [other, one];
    fc.pre(joinedAt(early) < joinedAt(late));
    expect([variantAt(salt, early, share), variantAt(salt, late, share)]).not.toEqual(["stable", "canary"]);
  });

  test.prop([texts, key])("takes nobody at 0 and everyone at 100 %", (salt, text) => {
    expect([variantAt(salt, text, 0), variantAt(salt, text, 10_000)]).toEqual(["stable", "canary"]);
  });

  test.prop([fc.nat(0xffffffff), shareBp])(
    "never has a bucket in canary and control at once, and both are equally large where there is room",
    (bucket, share) => {
      const threshold = thresholdOf(share);
      expect(bucket < threshold && bucket >= controlStart(threshold)).toBe(false);
      const size = Math.min(threshold, BUCKETS - threshold);
      expect([BUCKETS - size - 1 >= controlStart(threshold), size === 0 || BUCKETS - size >= controlStart(threshold)]).toEqual([
        false,
        true,
      ]);
    },
  );

  test.prop([fc.nat(10_000)])("as a threshold is the exact floor", (share) => {
    expect(BigInt(thresholdOf(share))).toBe((BigInt(share) << 32n) / 10_000n);
  });
});

/** Everything that is decided of a request. */
const all = (rules: CompiledRules, request: RequestFacts): Decision[] => [decide(rules, request), ...decideToggles(rules, request)];

describe("a decision", () => {
  test.prop([ruleSets, requests, fc.boolean()])(
    "is the one that an explanation gives, with the result as its last step",
    (ruleSet, request, unwatched) => {
      const explanation = explain(compile(ruleSet, { unwatched }), factsOf(request));
      const decision = decide(compile(ruleSet, { unwatched }), factsOf(request));
      expect(explanation.decision).toEqual(decision);
      expect(explanation.toggles).toEqual(decideToggles(compile(ruleSet, { unwatched }), factsOf(request)));
      expect(explanation.steps.at(-1)?.text).toContain(`${decision.variant}, reason "${decision.reason}"`);
    },
  );

  test.prop([ruleSets, requests, fc.boolean()])("survives printing, parsing and compiling the rule set", (ruleSet, request, unwatched) => {
    const again = RuleSetSchema.parse(JSON.parse(JSON.stringify(ruleSet)));
    expect(all(compile(again, { unwatched }), factsOf(request))).toEqual(all(compile(ruleSet, { unwatched }), factsOf(request)));
  });

  test.prop([ruleSets, requests, fc.infiniteStream(fc.nat(1_000))])(
    "does not depend on the order of rollouts or of different headers",
    (ruleSet, request, order) => {
      const shuffled = <T>(list: readonly T[]): T[] =>
        list
          .map((item) => [order.next().value, item] as const)
          .toSorted(([a], [b]) => a - b)
          .map(([, item]) => item);
      const names = shuffled([...new Set(request.headers.map(([name]) => name))]);
      // The order of values under one name does count; that of the names must not.
      const headers = names.flatMap((name) => request.headers.filter(([given]) => given === name));
      const rollouts = Object.fromEntries(shuffled(Object.entries(ruleSet.rollouts)));
      expect(all(compile({ ...ruleSet, rollouts }), factsOf({ ...request, headers }))).toEqual(all(compile(ruleSet), factsOf(request)));
    },
  );

  test.prop([ruleSets, requests])("reads no header but those that the rules name", (ruleSet, request) => {
    const rules = compile(ruleSet);
    const facts = factsOf(request);
    const read: string[] = [];
    const watched: RequestFacts = {
      ...facts,
      headers: (name) => {
        read.push(name);
        return facts.headers(name);
      },
    };
    all(rules, watched);
    // Which is always read: a session is not copied.
    expect(read.filter((name) => name !== "upgrade" && !rules.headers.has(name))).toEqual([]);
  });

  test.prop([ruleSets, requests])("is at most one rollout's, and stable without one", (ruleSet, request) => {
    const { rollout, variant, reason, run } = decide(compile(ruleSet), factsOf(request));
    const known = rollout === undefined ? { variant, reason, run } : { run };
    expect(known).toEqual(
      rollout === undefined ? { variant: "stable", reason: "no rollout", run: 0 } : { run: ruleSet.rollouts[rollout]?.live.run },
    );
  });

  test.prop([ruleSets, requests, kills])("is stable, and copied to nobody, where an operator switched it off", (ruleSet, request, off) => {
    for (const each of all({ ...compile(ruleSet), kills: off }, factsOf(request))) {
      if (each.rollout === undefined) continue;
      const unknown = off.segments.get("unknown");
      const isOff = off.all || off.rollouts.has(each.rollout) || unknown === "all" || unknown?.has(each.rollout);
      if (isOff !== true) continue;
      expect([each.variant, each.reason, each.mirror]).toEqual(["stable", "off", undefined]);
    }
  });

  test.prop([ruleSets, requests, kills])("is that of the rules for whom no order to switch off holds", (ruleSet, request, off) => {
    const rules = compile(ruleSet);
    const asIs = all(rules, factsOf(request));
    for (const [index, each] of all({ ...rules, kills: off }, factsOf(request)).entries())
      if (each.reason !== "off") expect(each).toEqual(asIs[index]);
  });

  test.prop([ruleSets, requests, fc.nat(10_000)])("moves nobody between variants when shares grow", (ruleSet, request, more) => {
    const grown = Object.entries(ruleSet.rollouts).map(([name, { rules, live }]) => {
      const width = [...lanesOf(rules.variants).values()][0]?.widthBp ?? 0;
      return [name, { rules, live: { ...live, shareBp: Math.max(live.shareBp, Math.min(width, more)) } }] as const;
    });
    const before = all(compile(ruleSet), factsOf(request));
    const after = all(compile({ ...ruleSet, rollouts: Object.fromEntries(grown) }), factsOf(request));
    for (const [index, { variant, reason }] of before.entries())
      if (variant !== "stable" || reason !== "share") expect(after[index]).toMatchObject({ variant, reason });
  });

  const anything = fc.string({ unit: "binary", maxLength: 40 });
  test.prop([ruleSets, anything, anything, fc.array(anything, { maxLength: 4 }), fc.option(anything, { nil: undefined })])(
    "never throws, whatever a request holds",
    (ruleSet, host, path, values, clientAddress) => {
      const request: RequestFacts = { host, method: "GET", path, headers: () => values, clientAddress };
      for (const { variant } of all(compile(ruleSet), request)) expect(["stable", "canary", "b", "c"]).toContain(variant);
    },
  );
});
