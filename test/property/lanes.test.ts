import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { lanesOf } from "../../src/contract/lanes.ts";
import { isTagOnly, type Variants } from "../../src/contract/rollout.ts";
import type { LiveRule } from "../../src/contract/rules.ts";
import { BUCKETS } from "../../src/core/decide/bucket.ts";
import { compile } from "../../src/core/decide/compile.ts";
import { decide } from "../../src/core/decide/decide.ts";
import { compileLanes, laneAt } from "../../src/core/decide/lanes.ts";
import { factsOf, ruleOf, ruleSetOf } from "../support/decide-inputs.ts";
import { plainLane } from "../support/plain-bucketing.ts";
import { rules, sharesOf, texts } from "./decide-arbitraries.ts";

const key = texts.filter((text) => text !== "");

describe("several variants that grow", () => {
  const grown = rules.chain(({ variants }) => fc.tuple(fc.constant(variants), sharesOf(variants), sharesOf(variants)));
  const compiled = (variants: Variants, shares: Pick<LiveRule, "shareBp" | "shares">) =>
    compileLanes(variants, { run: 1, off: false, whenUnwatched: "hold", ...shares });
  const shareIn = (name: string, { shareBp: share, shares = {} }: Pick<LiveRule, "shareBp" | "shares">): number =>
    name === "canary" ? share : (shares[name] ?? 0);

  test.prop([grown, fc.nat(0xffffffff)])("never take a user from one another by growing", ([variants, one, other], bucket) => {
    const names = [...lanesOf(variants).keys()];
    const merged = (pick: (a: number, b: number) => number) => {
      const of = (name: string): number => pick(shareIn(name, one), shareIn(name, other));
      return {
        shareBp: of("canary"),
        shares: Object.fromEntries(names.filter((name) => name !== "canary").map((name) => [name, of(name)])),
      };
    };
    const [before, after] = [merged(Math.min), merged(Math.max)].map((shares) => {
      const lane = laneAt(compiled(variants, shares), bucket);
      return lane !== undefined && bucket < lane.threshold ? lane.variant : "stable";
    });
    expect(before === "stable" || before === after).toBe(true);
  });

  test.prop([grown])(
    "have exactly their shares, and control as large as there is room for, in lanes that lie side by side",
    ([variants, shares]) => {
      fc.pre(shares.shareBp < 10_000);
      let from = 0;
      for (const { variant, threshold, controlFrom, end } of compiled(variants, shares)) {
        const wanted = (shareIn(variant, shares) * BUCKETS) / 10_000;
        expect(Math.abs(threshold - from - wanted)).toBeLessThanOrEqual(1);
        expect([threshold >= from, controlFrom >= threshold, end - controlFrom]).toEqual([
          true,
          true,
          Math.min(threshold - from, end - threshold),
        ]);
        from = end;
      }
      expect(from).toBeLessThanOrEqual(BUCKETS);
    },
  );

  test.prop([grown, texts, key])("are decided as the plain twin reads the file", ([variants, shares], salt, text) => {
    fc.pre(!isTagOnly(variants));
    const rules = compile(
      ruleSetOf({ checkout: ruleOf({ salt, variants }, shares.shares === undefined ? { shareBp: shares.shareBp } : shares) }),
    );
    const { variant, control } = decide(rules, factsOf({ headers: [["x-user-id", text]] }));
    const lanes = [...lanesOf(variants)].map(([name, { widthBp }]) => ({ name, widthBp, shareBp: shareIn(name, shares) }));
    expect({ variant, control }).toEqual(plainLane(salt, text, lanes));
  });
});
