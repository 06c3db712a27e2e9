import { randomBytes } from "node:crypto";
import { open, rename } from "node:fs/promises";
import type { RuleSet } from "../../../src/contract/rules.ts";
import { packUsers, UserTableBuilder } from "../../../src/contract/user-lists.ts";
import { ruleOf, ruleSetOf } from "../../support/decide-inputs.ts";

type Entry = RuleSet["rollouts"][string];

/** What differs from the first set of rules. */
export interface ScaleChange {
  readonly revision: number;
  /** Number of the rollout that changes, and how. */
  readonly rollout: number;
  readonly by: "share" | "rules";
}

const nameOf = (index: number): string => `service-${String(index).padStart(5, "0")}`;

/** One of many rollouts, each for a host of its own with clusters of its own, two key sources and two targets. */
function scaleEntry(index: number): readonly [string, Entry] {
  const name = nameOf(index);
  const rules = {
    match: { hosts: [`${name}.example`], paths: [{ prefix: "/" }] },
    key: [{ header: "x-user-id" }, { cookie: "session" }],
    salt: name,
    variants: {
      stable: { cluster: `${name}-stable`, tags: {} },
      canary: { cluster: `${name}-canary`, tags: { "x-serin-variant": "canary" } },
    },
    targets: [
      { name: "staff", when: { header: { name: "x-staff", exact: "yes" } }, variant: "canary" as const },
      { name: "old-app", when: { cookie: { name: "app", prefix: "v1" } }, variant: "stable" as const },
    ],
  };
  return [name, ruleOf(rules, { shareBp: 500 })];
}

/** A list of so many users as no mathematics would make it, packed. */
export function packedList(users: number): string {
  const builder = new UserTableBuilder();
  const bytes = randomBytes(users * 8);
  for (let user = 0; user < users; user += 1) builder.add(bytes.readUInt32BE(user * 8), bytes.readUInt32BE(user * 8 + 4));
  return packUsers(builder.finish());
}

/** The rollout after a change. */
function changed(entry: Entry, { revision, by }: ScaleChange): Entry {
  if (by === "share") return { ...entry, live: { ...entry.live, run: revision, shareBp: 500 + revision } };
  return { ...entry, rules: { ...entry.rules, salt: `${entry.rules.salt}-${revision}` } };
}

/** A rule set of so many rollouts, the last of which has a list of users where one is given. */
export function scaleRules(rollouts: number, packedUsers?: string, change?: ScaleChange): RuleSet {
  const entries = Array.from({ length: rollouts }, (_, index) => {
    const [name, plain] = scaleEntry(index);
    const targets = [...plain.rules.targets, { name: "segment", when: { packedUsers: packedUsers ?? "" }, variant: "canary" as const }];
    const entry = packedUsers !== undefined && index === rollouts - 1 ? { ...plain, rules: { ...plain.rules, targets } } : plain;
    return [name, change?.rollout === index ? changed(entry, change) : entry] as const;
  });
  return { ...ruleSetOf(Object.fromEntries(entries)), revision: change?.revision ?? 1 };
}

/** Writes a rule set beside the file and puts it in its place. */
export async function writeRules(path: string, ruleSet: RuleSet): Promise<void> {
  const file = await open(`${path}.next`, "w");
  try {
    await file.writeFile(JSON.stringify(ruleSet));
  } finally {
    await file.close();
  }
  await rename(`${path}.next`, path);
}
