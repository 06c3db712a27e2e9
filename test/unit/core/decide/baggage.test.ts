import { describe, expect, test } from "vitest";
import { baggageAfter, cohortIn } from "../../../../src/core/decide/baggage.ts";

describe("the cohort in a request's baggage", () => {
  test.each([
    { title: "is the member's value", headers: ["serin.shop=canary"], cohort: "canary" },
    { title: "stands among others", headers: ["user=7, serin.shop=canary,x=y;p=1"], cohort: "canary" },
    { title: "may have spaces and properties", headers: ["serin.shop = canary ;p=serin.shop"], cohort: "canary" },
    { title: "may be encoded", headers: ["serin.shop=c%61nary"], cohort: "canary" },
    { title: "stays as it is where it is badly encoded", headers: ["serin.shop=c%6"], cohort: "c%6" },
    { title: "may stand in any of several headers", headers: ["a=b", "serin.shop=canary"], cohort: "canary" },
    { title: "is the last of several", headers: ["serin.shop=stable,serin.shop=canary"], cohort: "canary" },
    { title: "is not that of another rollout", headers: ["serin.shop-2=canary,serin.sho=canary"], cohort: undefined },
    { title: "is not in the value of another member", headers: ["x=serin.shop=canary"], cohort: undefined },
    { title: "is written in lower case", headers: ["Serin.shop=canary"], cohort: undefined },
    { title: "has a value", headers: ["serin.shop"], cohort: undefined },
    { title: "is absent without the header", headers: [], cohort: undefined },
  ])("$title", ({ headers, cohort }) => {
    expect(cohortIn(headers, "shop")).toBe(cohort);
  });
});

describe("the baggage that goes on", () => {
  const member = "serin.shop=canary";
  const long = (bytes: number): string => `x=${"y".repeat(bytes - 2)}`;
  const many = (count: number): string => Array.from({ length: count }, (_, index) => `k${index}=v`).join(",");
  const full = 8_192 - `,${member}`.length;

  test.each([
    { title: "is our member alone where there was none", before: [""], after: member },
    { title: "keeps the members of others as they are", before: ["a=b;p=1 , c=%20d"], after: `a=b;p=1,c=%20d,${member}` },
    { title: "joins several headers", before: ["a=b", "c=d"], after: `a=b,c=d,${member}` },
    { title: "replaces our own member", before: ["serin.shop=stable,a=b"], after: `a=b,${member}` },
    { title: "keeps other rollouts of a trusted peer", before: ["serin.other=canary"], after: `serin.other=canary,${member}` },
    { title: "keeps what is no member as it is", before: ["nonsense, =,"], after: `nonsense,=,${member}` },
    { title: "may be 8192 bytes long", before: [long(full)], after: `${long(full)},${member}` },
    { title: "may have 64 members", before: [many(63)], after: `${many(63)},${member}` },
  ])("$title", ({ before, after }) => {
    expect(baggageAfter(before, member, () => true)).toEqual({ value: after, isFull: false });
  });

  test.each([
    { title: "of 8192 bytes gets no member more", before: [long(full + 1)] },
    { title: "of 64 members gets no member more", before: [many(64)] },
    { title: "is measured in bytes, not letters", before: [`x=${"ü".repeat((full - 2) / 2 + 1)}`] },
  ])("$title", ({ before }) => {
    expect(baggageAfter(before, member, () => true)).toEqual({ value: undefined, isFull: true });
  });

  test("loses our own old member where the new one has no room: a wrong cohort is worse than none", () => {
    const before = [`${long(full + 1)},serin.shop=x`];
    expect(baggageAfter(before, member, () => true)).toEqual({ value: long(full + 1), isFull: true });
  });

  test("goes as a whole where it must be written anew and is too long", () => {
    expect(baggageAfter([`${long(9_000)},serin.shop=x`], member, () => true)).toEqual({ value: "", isFull: true });
    expect(baggageAfter([`${long(9_000)},serin.shop=x`], undefined, () => false)).toEqual({ value: "", isFull: false });
  });

  test.each([
    { title: "loses all of Serin's members", before: ["serin.other=canary,a=b"], value: "a=b" },
    { title: "goes where nothing else is in it", before: ["serin.other=canary"], value: "" },
    { title: "stays where none of them is in it", before: ["a=b , x=serin.y"], value: undefined },
  ])("of a peer that is not trusted $title", ({ before, value }) => {
    expect(baggageAfter(before, undefined, () => false)).toEqual({ value, isFull: false });
  });

  test("of a trusted peer stays as it is where the rollout tells nothing", () => {
    expect(baggageAfter(["serin.other=canary,a=b"], undefined, () => true)).toEqual({ value: undefined, isFull: false });
  });

  test("asks who the peer is only where that matters", () => {
    const ask = (): boolean => {
      throw new Error("asked");
    };
    expect(baggageAfter(["a=b"], member, ask).value).toBe(`a=b,${member}`);
  });
});
