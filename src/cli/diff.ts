import { isDeepStrictEqual } from "node:util";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { type PolicyInput, PolicySchema } from "../contract/policy.ts";
import { RolloutSchema } from "../contract/rollout.ts";
import { hashUsers } from "../core/decide/rollout-rules.ts";
import type { RolloutDocument } from "../io/documents.ts";
import type { NatsLink } from "../io/nats.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { readAppliedSegment, readPlan, readPolicy } from "../io/store.ts";
import { type Difference, differences, differenceText } from "../told/differences.ts";
import type { CutSegment } from "../told/segment-cut.ts";
import { withNats } from "./connection.ts";
import { readFiles } from "./documents.ts";
import type { CliParts } from "./parts.ts";
import { cutSegment } from "./segment-users.ts";

export interface DiffFlags extends NatsFlags {
  readonly file: readonly string[];
  readonly json?: boolean;
}

/** A document beside what was applied last under its name. */
interface Compared {
  readonly kind: "rollout" | "segment" | "policy";
  readonly name: string;
  /** `same`: it means the same, however it is written. */
  readonly change: "new" | "changed" | "same";
  readonly differences: readonly Difference[];
}

/** Tells what `apply` of these files would change; 0 whether there is a difference or not. */
export async function diff(flags: DiffFlags, parts: CliParts): Promise<ExitCode> {
  const { rollouts, segments, policies } = await readFiles(flags.file);
  const cut: CutSegment[] = [];
  for (const segment of segments) cut.push(await cutSegment(segment));
  return withNats(flags, async (link) => {
    const found: Compared[] = [];
    for (const policy of policies) found.push(await comparedPolicy(link, policy));
    for (const segment of cut) found.push(await comparedSegment(link, segment));
    for (const rollout of rollouts) found.push(await comparedRollout(link, rollout));
    for (const one of found) parts.out(flags.json === true ? `${JSON.stringify(one)}\n` : comparedText(one));
    return EXIT.done;
  });
}

async function comparedPolicy(link: NatsLink, written: PolicyInput): Promise<Compared> {
  const head = { kind: "policy", name: "policy" } as const;
  const applied = await readPolicy(link);
  if (applied === undefined) return { ...head, change: "new", differences: [] };
  if (isDeepStrictEqual(PolicySchema.parse(written), applied.policy)) return { ...head, change: "same", differences: [] };
  return { ...head, change: "changed", differences: differences(applied.document, written) };
}

async function comparedRollout(link: NatsLink, { rollout, written }: RolloutDocument): Promise<Compared> {
  const { name } = rollout;
  const applied = await readPlan(link, name);
  if (applied === undefined) return { kind: "rollout", name, change: "new", differences: [] };
  // As it would be sent, so that users are hashes on both sides.
  const sent = hashUsers(written);
  if (isDeepStrictEqual(RolloutSchema.parse(sent), applied.rollout)) return { kind: "rollout", name, change: "same", differences: [] };
  return { kind: "rollout", name, change: "changed", differences: differences(applied.document, sent) };
}

async function comparedSegment(link: NatsLink, { plan }: CutSegment): Promise<Compared> {
  const { name } = plan;
  const applied = (await readAppliedSegment(link, name))?.plan;
  if (applied === undefined) return { kind: "segment", name, change: "new", differences: [] };
  if (isDeepStrictEqual(applied, plan)) return { kind: "segment", name, change: "same", differences: [] };
  const whose = differences({ users: applied.users, when: applied.when }, { users: plan.users, when: plan.when });
  const changed = Object.entries(plan.chunks).filter(([number, hash]) => applied.chunks[number] !== hash).length;
  const chunks = changed === 0 ? [] : [{ path: "users", after: `${changed} of ${Object.keys(plan.chunks).length} chunks of users differ` }];
  return { kind: "segment", name, change: "changed", differences: [...whose, ...chunks] };
}

const CHANGE_TEXT: Readonly<Record<Compared["change"], string>> = {
  new: "new, nothing of that name was applied",
  changed: "changed",
  same: "as applied",
};

const comparedText = ({ kind, name, change, differences: found }: Compared): string =>
  `${[`${kind === "segment" ? "segment " : ""}${name}: ${CHANGE_TEXT[change]}`, ...found.map((one) => `  ${differenceText(one)}`)].join("\n")}\n`;
