import { UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { FORMAT } from "../contract/names.ts";
import type { RuleSet } from "../contract/rules.ts";
import { staticRulesOf } from "../core/decide/rollout-rules.ts";
import { readDocuments } from "./apply.ts";
import type { CliParts } from "./parts.ts";

export interface RulesFlags {
  readonly file: readonly string[];
  readonly share: ReadonlyMap<string, number>;
}

/** Prints the rule set that `sidecar --rules` reads; shares are 0 % unless given. */
export async function rules({ file, share }: RulesFlags, parts: CliParts): Promise<ExitCode> {
  const documents = await readDocuments(file);
  const names = documents.map(({ rollout }) => rollout.name);
  for (const name of share.keys()) {
    if (!names.includes(name)) throw new UsageError(`--share ${name}: no file holds a rollout of that name; there are ${names.join(", ")}`);
  }
  const rollouts: RuleSet["rollouts"] = {};
  for (const { rollout } of documents) {
    if (rollouts[rollout.name] !== undefined) throw new UsageError(`two files hold a rollout ${rollout.name}; give each its own name`);
    const shareBp = share.get(rollout.name) ?? 0;
    rollouts[rollout.name] = { rules: staticRulesOf(rollout), live: { run: 1, shareBp, off: false, whenUnwatched: rollout.onUnwatched } };
  }
  const ruleSet: RuleSet = { format: FORMAT, epoch: 0, revision: 1, rollouts };
  parts.out(`${JSON.stringify(ruleSet, null, 2)}\n`);
  return EXIT.done;
}
