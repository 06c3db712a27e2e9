import { UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { grownVariant, shareFaults } from "../contract/lanes.ts";
import { FORMAT } from "../contract/names.ts";
import type { Rollout } from "../contract/rollout.ts";
import type { LiveRule, RuleSet } from "../contract/rules.ts";
import { staticRulesOf } from "../core/decide/rollout-rules.ts";
import { readDocuments } from "./apply.ts";
import type { CliParts } from "./parts.ts";

export interface RulesFlags {
  readonly file: readonly string[];
  /** By the name of a rollout, for the variant that its stages grow, or by `NAME/VARIANT`. */
  readonly share: ReadonlyMap<string, number>;
}

/** Prints the rule set that `sidecar --rules` reads; shares are 0 % unless given. */
export async function rules({ file, share }: RulesFlags, parts: CliParts): Promise<ExitCode> {
  const documents = await readDocuments(file);
  const names = documents.map(({ rollout }) => rollout.name);
  for (const flag of share.keys()) {
    if (!names.includes(rolloutIn(flag)))
      throw new UsageError(`--share ${flag}: no file holds a rollout of that name; there are ${names.join(", ")}`);
  }
  const rollouts: RuleSet["rollouts"] = {};
  for (const { rollout } of documents) {
    if (rollouts[rollout.name] !== undefined) throw new UsageError(`two files hold a rollout ${rollout.name}; give each its own name`);
    rollouts[rollout.name] = { rules: staticRulesOf(rollout), live: liveOf(rollout, share) };
  }
  const ruleSet: RuleSet = { format: FORMAT, epoch: 0, revision: 1, rollouts };
  parts.out(`${JSON.stringify(ruleSet, null, 2)}\n`);
  return EXIT.done;
}

const rolloutIn = (flag: string): string => flag.split("/", 1)[0] ?? "";

/** What the flags say of one rollout. Throws UsageError where its lanes do not take it. */
function liveOf({ name, variants, onUnwatched }: Rollout, share: ReadonlyMap<string, number>): LiveRule {
  const grown = grownVariant(variants);
  let shareBp = 0;
  const shares: Record<string, number> = {};
  for (const [flag, given] of share) {
    if (rolloutIn(flag) !== name) continue;
    const variant = flag === name ? grown : flag.slice(name.length + 1);
    if (variant === grown) shareBp = given;
    else shares[variant] = given;
  }
  const [fault] = shareFaults(variants, { shareBp, shares });
  if (fault !== undefined) {
    const [, variant] = fault.path;
    throw new UsageError(`--share ${variant === undefined ? name : `${name}/${variant}`}: ${fault.message}`);
  }
  const live = { run: 1, shareBp, off: false, whenUnwatched: onUnwatched };
  return Object.keys(shares).length === 0 ? live : { ...live, shares };
}
