import { stringify } from "yaml";
import { UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { listLive, readAppliedSegment, readPlan, readPolicy, readTemplate } from "../io/store.ts";
import { share, table } from "../told/format.ts";
import { phaseText, planShape } from "../told/phase-text.ts";
import { withNats } from "./connection.ts";
import type { CliParts } from "./parts.ts";

export interface GetFlags extends NatsFlags {
  readonly json?: boolean;
}

/** Prints a rollout's plan, the list of all, the policy, or with two words, `segment NAME`, what is known of a segment. */
export async function get([name, segment]: readonly (string | undefined)[], flags: GetFlags, parts: CliParts): Promise<ExitCode> {
  if (segment === undefined) return name === "policy" ? getPolicy(flags, parts) : getRollout(name, flags, parts);
  if (name === "template") return getTemplate(segment, flags, parts);
  if (name !== "segment")
    throw new UsageError(`get ${name} ${segment}: write \`get ROLLOUT\`, \`get segment NAME\` or \`get template NAME\``);
  return getSegment(segment, flags, parts);
}

/** Prints a template as it was applied. */
function getTemplate(name: string, flags: GetFlags, parts: CliParts): Promise<ExitCode> {
  return withNats(flags, async (link) => {
    const applied = await readTemplate(link, name);
    if (applied === undefined) throw new UsageError(`there is no template ${name}; apply one with \`serin apply -f FILE\``);
    parts.out(flags.json === true ? `${JSON.stringify(applied.template)}\n` : stringify(applied.template));
    return EXIT.done;
  });
}

/** Prints what is known of a segment: never its users, who are hashes even in the store. */
function getSegment(name: string, flags: GetFlags, parts: CliParts): Promise<ExitCode> {
  return withNats(flags, async (link) => {
    const applied = await readAppliedSegment(link, name);
    if (applied === undefined) throw new UsageError(`there is no segment ${name}; apply one with \`serin apply -f FILE\``);
    const { users, chunks, when } = applied.plan;
    const known = { name, users, chunks: Object.keys(chunks).length, ...(when === undefined ? {} : { when }) };
    parts.out(flags.json === true ? `${JSON.stringify(known)}\n` : stringify(known));
    return EXIT.done;
  });
}

/** Prints the policy as it was applied. */
function getPolicy(flags: GetFlags, parts: CliParts): Promise<ExitCode> {
  return withNats(flags, async (link) => {
    const applied = await readPolicy(link);
    if (applied === undefined) throw new UsageError("there is no policy; apply one with `serin apply -f FILE`");
    parts.out(flags.json === true ? `${JSON.stringify(applied.document)}\n` : stringify(applied.document));
    return EXIT.done;
  });
}

/** Prints the plan of one rollout as it was applied (users hashed), or the list of all. */
function getRollout(name: string | undefined, flags: GetFlags, parts: CliParts): Promise<ExitCode> {
  return withNats(flags, async (link) => {
    if (name !== undefined) {
      const plan = await readPlan(link, name);
      if (plan === undefined) throw new UsageError(`there is no rollout ${name}; \`serin get\` names those that there are`);
      parts.out(flags.json === true ? `${JSON.stringify(plan.document)}\n` : stringify(plan.document));
      return EXIT.done;
    }
    const states = await listLive(link);
    const plans = await Promise.all(states.map(async (state) => ({ state, plan: await readPlan(link, state.rollout) })));
    if (flags.json === true) {
      parts.out(
        `${JSON.stringify(plans.map(({ state, plan }) => ({ name: state.rollout, phase: state.plan.phase, shareBp: state.shareBp, document: plan?.document ?? null })))}\n`,
      );
      return EXIT.done;
    }
    const rows = plans.map(({ state, plan }) => [
      state.rollout,
      share(state.shareBp),
      phaseText({ plan: state.plan, ...planShape(plan?.rollout) }),
    ]);
    parts.out(rows.length === 0 ? "no rollouts\n" : `${table([["NAME", "SHARE", "PHASE"], ...rows])}\n`);
    return EXIT.done;
  });
}
