import type { Command } from "../contract/messages.ts";
import type { OperatorKeys } from "../io/kill-signatures.ts";
import { verifiedPass } from "../io/passes.ts";

/** A command with what is known of its sender, or why its pass is refused. */
export type Vouched = Readonly<{ command: Command }> | Readonly<{ refused: string }>;

/**
 * Who gives a command: its pass says so, where it has one and operators' keys are known; else whoever it was heard from. A pass is for one
 * command, so what it says of that holds, whatever the message says.
 */
export function vouched(
  command: Command,
  keys: OperatorKeys,
  { nowMs, run }: Readonly<{ nowMs: number; run: number | undefined }>,
): Vouched {
  if (command.pass === undefined || keys.size === 0) return { command };
  const pass = verifiedPass(command.pass, keys, nowMs);
  if ("refused" in pass) return { refused: `the pass is refused: ${pass.refused}` };
  const { id, verb, rollout, full, variant, override, now, who } = pass;
  if (id !== command.id || verb !== command.verb || rollout !== command.rollout)
    return { refused: `the pass is for another command: ${verb} ${rollout}` };
  if (pass.run !== undefined && pass.run !== run)
    return { refused: `the pass is for run ${pass.run} of ${rollout}, and run ${run ?? "none"} is in force; ask for a new one` };
  return { command: { ...command, full, variant, override, now, who: { name: who, claimed: false } } };
}
