import { describe, expect, test } from "vitest";
import { MixFiguresSchema } from "../../../../src/contract/mix-evidence.ts";
import { keyHash } from "../../../../src/core/judge/key-sketch.ts";
import { mixFigures, skewText } from "../../../../src/core/judge/mix.ts";
import { MIX_ALPHA } from "../../../../src/core/judge/skew.ts";
import { limitOf, thinned, type UserSample } from "../../../../src/core/judge/user-sample.ts";
import { COUNTRIES, groupOf, groupsOf, markOf, type Users } from "../../../support/mix-inputs.ts";
import { randomOf } from "../../../support/random.ts";

const figuresOf = (groups: Readonly<Record<string, Users>>) => mixFigures(COUNTRIES, groupsOf(groups), 3);
const texts = (groups: Readonly<Record<string, Users>>): string[] => figuresOf(groups).skews.map(skewText);

describe("the mix of users", () => {
  test("counts each side by how its users came there", () => {
    const figures = figuresOf({
      "stable share": { SE: 10, DE: 60 },
      "stable control": { DE: 5 },
      "canary share": { SE: 1, DE: 4 },
      "canary target staff": { SE: 3 },
      "canary cohort": { other: 2 },
    });
    expect(MixFiguresSchema.parse(figures)).toEqual(figures);
    expect(figures).toMatchObject({ run: 3, isExact: true, skews: [] });
    expect(figures.users).toEqual({ canary: 10, share: 5, cohort: 2, target: 3, control: 5, all: 85 });
    expect(figures.values.map(({ value, users }) => [value, users.canary, users.all])).toEqual([
      ["SE", 4, 14],
      ["DE", 4, 69],
      ["other", 2, 2],
      ["none", 0, 0],
    ]);
  });

  test("is that of nobody where nobody came", () => {
    expect(mixFigures(COUNTRIES, [], 3)).toMatchObject({ users: { canary: 0, all: 0 }, isExact: true, skews: [] });
  });

  test("counts one who is on both sides once, as the canary's", () => {
    const both = [groupOf("stable share", { DE: 8 }), groupOf("canary target staff", { DE: 3 })];
    expect(mixFigures(COUNTRIES, both, 3).users).toMatchObject({ canary: 3, all: 8 });
  });

  test("counts one who brings several values with all of them", () => {
    const users = new Map([[keyHash(1), markOf("SE") | markOf("DE")]]);
    const { values } = mixFigures(COUNTRIES, [{ variant: "stable", by: "share", users: { level: 0, users } }], 3);
    expect(values.map((each) => each.users.all)).toEqual([1, 1, 0, 0]);
  });

  test("counts every variant beside stable as the canary", () => {
    expect(figuresOf({ "stable share": { DE: 8 }, "blue share": { DE: 3 }, "green target staff": { SE: 1 } }).users).toMatchObject({
      canary: 4,
      all: 12,
    });
  });

  test("is estimated where very many came, and says so", () => {
    const { isExact, users, values } = figuresOf({ "stable share": { SE: 9_000, DE: 36_000 }, "canary share": { DE: 500 } });
    expect([isExact, users.canary]).toEqual([false, 500]);
    // At least 513 are kept: 4.4 % of all of them, and 1.8 points of a share, as one standard deviation each.
    expect(Math.abs(users.all / 45_500 - 1)).toBeLessThan(4 * 0.044);
    expect(Math.abs(Number(values[0]?.users.all) / users.all - 0.2)).toBeLessThan(4 * 0.018);
  });
});

describe("a warning", () => {
  test("says label, value, both shares and the target", () => {
    expect(
      texts({
        "stable share": { SE: 80, DE: 820 },
        "canary share": { SE: 4, DE: 41 },
        "canary target staff": { SE: 60, DE: 1 },
        "canary target beta": { SE: 1, DE: 3 },
      })[0],
    ).toBe("59 % of the canary's users have country=SE, 14 % of all; brought by target `staff`");
  });

  const plain = { "stable share": { SE: 300, DE: 600 } };
  test.each<{ title: string; groups: Record<string, Users>; value: string; cause: string }>([
    {
      title: "a cohort that brings them",
      groups: { ...plain, "canary cohort": { SE: 90 } },
      value: "SE",
      cause: "brought by the cohort of a hop before",
    },
    {
      title: "a later target",
      groups: { ...plain, "canary target": { SE: 90 } },
      value: "SE",
      cause: "brought by one of its later targets",
    },
    {
      title: "a target that brings so many others",
      groups: { ...plain, "canary share": { SE: 20, DE: 40 }, "canary target staff": { DE: 190, SE: 1 } },
      value: "SE",
      cause: "target `staff` brings others",
    },
    {
      title: "a target that keeps them on stable",
      groups: { "stable share": { DE: 400 }, "canary share": { DE: 200 }, "stable target partners": { SE: 300 } },
      value: "SE",
      cause: "kept on stable by target `partners`",
    },
    {
      title: "a target that keeps all others on stable",
      groups: { "stable share": { SE: 90, DE: 30 }, "canary share": { SE: 90, DE: 30 }, "stable target partners": { DE: 400 } },
      value: "SE",
      cause: "target `partners` keeps others on stable",
    },
    {
      title: "no target: keys that tell who users are",
      groups: { ...plain, "canary share": { SE: 90 } },
      value: "SE",
      cause: "no target brings this about: chance does in one run of a hundred, or keys tell who users are",
    },
    {
      title: "the share, where a target does less",
      groups: { ...plain, "canary share": { SE: 90 }, "canary target staff": { SE: 5 } },
      value: "SE",
      cause: "no target brings this about: chance does in one run of a hundred, or keys tell who users are",
    },
  ])("names what did it: $title", ({ groups, value, cause }) => {
    const found = texts(groups).find((text) => text.includes(`=${value},`));
    expect(found?.split("; ")[1]).toBe(cause);
  });

  test("stands behind one that is surer", () => {
    const { skews } = figuresOf({ "stable share": { SE: 300, DE: 500, none: 100 }, "canary target staff": { SE: 90, DE: 10 } });
    expect(skews.map(({ value }) => value)).toEqual(["SE", "DE"]);
    expect(skews[0]?.odds).toBe(1e9);
    expect(skews[1]?.odds).toBeGreaterThan(1 / MIX_ALPHA);
  });
});

const copyOf = ({ level, users }: UserSample) => ({ level, users: new Map(users) });

/** Whether there is ever a warning in a run of users who come one after the other, some of them with a second value, at once or later. */
function isEverWarned(seed: number, capacity: number): boolean {
  const random = randomOf(seed);
  const counted = ["stable share", "stable control", "canary share"].map((where) => ({
    where,
    sample: { level: 0, users: new Map<number, number>() },
  }));
  const seen: number[] = [];
  for (let user = 1; user <= 2_000; user += 1) {
    const draw = random();
    const group = counted[draw < 0.2 ? 2 : draw < 0.4 ? 1 : 0];
    const value = ["SE", "DE", "other", "none"][Math.floor(random() ** 2 * 4)] ?? "";
    const hash = Math.floor(random() * 2 ** 32);
    seen.push(hash);
    // One who came before brings another value now.
    const again = seen[Math.floor(random() * seen.length)] ?? 0;
    for (const { sample } of counted) {
      const mark = sample.users.get(again);
      if (mark !== undefined && user % 20 === 0) sample.users.set(again, mark | markOf("DE"));
    }
    if (group !== undefined && hash < limitOf(group.sample.level)) {
      group.sample.users.set(hash, markOf(value) | (random() < 0.05 ? markOf("SE") : 0));
      if (group.sample.users.size > capacity) group.sample = copyOf(thinned(group.sample, capacity));
    }
    if (user % 100 !== 0) continue;
    const groups = counted.map(({ where, sample }) => ({ ...groupOf(where, {}), users: sample }));
    if (mixFigures(COUNTRIES, groups, 3).skews.length > 0) return true;
  }
  return false;
}

test.each([{ capacity: 1_024 }, { capacity: 64 }])(
  "of 100 runs by share alone, in samples of at most $capacity users, at most one is ever warned of",
  ({ capacity }) => {
    const warned = Array.from({ length: 100 }, (_, seed) => isEverWarned(seed + 1, capacity)).filter(Boolean);
    expect(warned.length).toBeLessThanOrEqual(1);
  },
);
