import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { NO_ROLLOUT } from "../../../../src/core/decide/decide.ts";
import type { Decision } from "../../../../src/core/decide/types.ts";
import { alsoText, parseAlso, writeBuckets } from "../../../../src/sidecar/wire/also.ts";

const toggle: fc.Arbitrary<Decision> = fc
  .record({
    rollout: fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/),
    variant: fc.constantFrom("stable", "on", "b"),
    run: fc.nat(),
    control: fc.boolean(),
    bucket: fc.option(fc.nat(0xffffffff), { nil: undefined }),
  })
  .map((fields) => ({ ...NO_ROLLOUT, ...fields }));

describe("what is told of toggles in one text", () => {
  test.prop([fc.array(toggle, { minLength: 1, maxLength: 4 })])("comes back as it was decided, buckets included", (toggles) => {
    const text = alsoText(toggles);
    const bytes = Buffer.from(`..${text}..`);
    writeBuckets(bytes, 2, toggles);
    const expected = toggles.map(({ rollout, variant, run, control, bucket }) => ({ rollout, variant, run, control, bucket }));
    expect(parseAlso(bytes.subarray(2, -2).toString())).toEqual(expected);
  });

  test.prop([toggle, fc.nat(0xffffffff)])("is the same for all buckets, so that answers can be kept", (one, bucket) => {
    fc.pre(one.bucket !== undefined);
    expect(alsoText([{ ...one, bucket }])).toBe(alsoText([one]));
  });

  test("is nothing without any", () => {
    expect(parseAlso(undefined)).toEqual([]);
  });

  test.each([
    "",
    "banner",
    "Banner:on:1:-:00000000",
    "banner:On:1:-:00000000",
    "banner:on:x:-:00000000",
    "banner:on:9999999999999999:-:00000000",
    "banner:on:1:-:0000000g",
    "banner:on:1:-:00000000:more",
    "banner:on:1:-:00000000  search:on:1:-:00000000",
  ])("is refused where no sidecar writes it so: %j", (text) => {
    expect(() => parseAlso(text)).toThrow("no sidecar decides");
  });
});
