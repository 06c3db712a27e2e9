import { UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { type KillOrder, type KillScope, scopeToken } from "../contract/kills.ts";
import { NameSchema } from "../contract/name-schema.ts";
import { FORMAT } from "../contract/names.ts";
import { hashKey } from "../core/decide/bucket.ts";
import { saltOf } from "../core/decide/rollout-rules.ts";
import { readSigningKey, signKill } from "../io/kill-signatures.ts";
import { readOrders, storeKill } from "../io/kill-store.ts";
import type { NatsLink } from "../io/nats.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { readAppliedSegment, readPlan } from "../io/store.ts";
import { scopeText } from "../told/order-text.ts";
import { confirmationText, confirmed, isObeyedByAll } from "./confirmations.ts";
import { withNats } from "./connection.ts";
import type { CliParts } from "./parts.ts";

export interface KillFlags extends NatsFlags {
  readonly all?: boolean;
  readonly key?: string;
  readonly segment?: string;
  readonly lift?: boolean;
  readonly reason?: string;
  readonly signWith?: string;
  readonly json?: boolean;
}

/** Switches everyone, a rollout, one user of it or the users of a segment off, by an operator's signed word and without a controller. */
export async function kill(rollout: string | undefined, flags: KillFlags, parts: CliParts): Promise<ExitCode> {
  refuseMixed(rollout, flags);
  const { signWith, lift = false, reason } = flags;
  if (signWith === undefined)
    throw new UsageError("an order to switch off is signed; give --sign-with FILE or SERIN_OPERATOR_KEY, an Ed25519 key in PEM");
  const key = await readSigningKey(signWith);
  const { order, wasOff, confirmations } = await withNats(flags, async (link) => {
    const scope = await scopeOf(link, rollout, flags);
    const given: KillOrder = {
      format: FORMAT,
      scope,
      off: !lift,
      atMs: parts.nowMs(),
      who: parts.user,
      ...(reason === undefined ? {} : { reason }),
    };
    const { inForce } = await readOrders(link);
    const isOff = inForce.some((stored) => scopeToken(stored.scope) === scopeToken(scope));
    // A lift of nothing too: sidecars may keep an order that NATS has lost.
    return { order: given, wasOff: isOff, confirmations: await confirmed(link, () => storeKill(link, scope, signKill(given, key))) };
  });
  const isDone = isObeyedByAll(confirmations);
  const text = confirmationText(confirmations);
  if (flags.json === true) parts.out(`${JSON.stringify({ ...order, ...confirmations })}\n`);
  else if (isDone) parts.out(`${scopeText(order.scope)}: ${lift ? liftText(wasOff) : "off, stable answers"}: ${text}\n`);
  else {
    const sent = lift ? `${liftText(wasOff)}, not confirmed everywhere` : "the order to switch off is not in force everywhere";
    parts.error(`${scopeText(order.scope)}: ${sent}: ${text}\n`);
  }
  return isDone ? EXIT.done : EXIT.refused;
}

const liftText = (wasOff: boolean): string =>
  wasOff ? "the order is lifted" : "no such order is in force; a sidecar that kept one lifts it all the same";

function refuseMixed(rollout: string | undefined, { all, key, segment }: KillFlags): void {
  for (const name of [rollout, segment]) {
    const { error } = NameSchema.optional().safeParse(name);
    if (error !== undefined) throw new UsageError(`${name}: ${error.issues[0]?.message}`);
  }
  if (segment !== undefined && key !== undefined) throw new UsageError("--key and --segment are two orders; give one after the other");
  if (rollout !== undefined && all === true) throw new UsageError("name a rollout, or say --all");
  if (rollout === undefined && all !== true && segment === undefined)
    throw new UsageError("name a rollout, or say --all or --segment NAME");
  if (rollout === undefined && key !== undefined) throw new UsageError("--key is of one rollout; name it instead of --all");
}

async function scopeOf(link: NatsLink, rollout: string | undefined, { key, segment, lift }: KillFlags): Promise<KillScope> {
  if (segment !== undefined) {
    // Where a segment is not known, everybody counts as in it.
    if (lift !== true && (await readAppliedSegment(link, segment)) === undefined)
      throw new UsageError(`no segment is named ${segment}; apply it first by \`serin apply -f FILE\``);
    return { ...(rollout === undefined ? {} : { rollout }), segment };
  }
  if (rollout === undefined) return {};
  if (key === undefined) return { rollout };
  // Users are known by hashes under the rollout's salt, which its plan tells.
  const plan = await readPlan(link, rollout);
  if (plan === undefined) throw new UsageError(`no rollout is named ${rollout}; \`serin status\` names those that there are`);
  return { rollout, user: hashKey(saltOf(plan.rollout), key) };
}
