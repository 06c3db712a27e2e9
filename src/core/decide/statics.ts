import { claimPath, type PathMatch } from "../../contract/conditions.ts";
import type { KeySource, VariantName, Variants } from "../../contract/rollout.ts";
import type { ReadyCondition, ReadyRules, StaticRules, UserList } from "../../contract/rules.ts";
import { tableOfHashes, type UserTable, unpackUsers } from "../../contract/user-lists.ts";
import { BAGGAGE } from "./baggage.ts";
import { seedOf, userHash } from "./bucket.ts";
import { type CompiledCondition, compileCondition, headersIn, listsUsersIn, type Meets, segmentsIn } from "./conditions.ts";
import { claimValues, cookieValue, narrownessOf } from "./match.ts";
import { type CompiledMirror, compileMirror } from "./mirror.ts";
import { type CompiledMix, compileMix, mixHeaders } from "./mix.ts";
import type { RequestFacts } from "./types.ts";

/** Reads the bucketing key from a request; undefined when this source has none. */
export interface CompiledKeySource {
  readonly label: string;
  read(request: RequestFacts): string | undefined;
}

/** A rule before the share. */
export interface CompiledTarget {
  readonly name: string;
  readonly variant: VariantName;
  readonly matches: Meets;
  /** The same, to be told of. */
  readonly when: CompiledCondition;
}

/** Static rules of one rollout, compiled: what is re-used while only the live rule changes. Lists of users stand here and nowhere else. */
export interface CompiledStatics {
  /** Each once. */
  readonly hosts: readonly string[];
  readonly paths: readonly PathMatch[];
  /** What else is asked of a request; undefined when nothing is. */
  readonly narrower: Meets | undefined;
  /** The same, to be told of. */
  readonly asks: CompiledCondition | undefined;
  /** How much that is: of two that match, the narrower governs. */
  readonly narrowness: number;
  /** Hash of the salt. */
  readonly seed: number;
  /** True when a target lists users, so that their hash is worth computing. */
  readonly listsUsers: boolean;
  /** Names of the segments that targets ask for. */
  readonly segments: readonly string[];
  readonly keys: readonly CompiledKeySource[];
  readonly targets: readonly CompiledTarget[];
  readonly variants: Readonly<Variants>;
  readonly cohort: StaticRules["cohort"];
  readonly mirror: CompiledMirror | undefined;
  readonly mix: CompiledMix | undefined;
  readonly reflex: StaticRules["reflex"];
  /** Lower-case names of the headers that match, keys, targets, cohort and mix read, each once. */
  readonly headers: readonly string[];
}

/** Parts that many rollouts have in common, each kept once: thousands of rollouts mostly differ in hosts and clusters alone. */
export interface SharedParts {
  /** The part of that text from before, or the one made now. */
  once<Part>(kind: string, source: unknown, make: () => Part): Part;
}

/** More different parts than this are not worth remembering. */
const MOST_PARTS = 1_000;

/** Remembers parts by what they are made of. */
export function createSharedParts(): SharedParts {
  const parts = new Map<string, unknown>();
  return {
    once<Part>(kind: string, source: unknown, make: () => Part): Part {
      const key = kind + JSON.stringify(source);
      const known = parts.get(key);
      if (known !== undefined) return known as Part; // the same kind of part is always made in the same way
      const part = make();
      if (parts.size < MOST_PARTS) parts.set(key, part);
      return part;
    },
  };
}

/** Compiles the part of a rollout that does not change while it runs. */
export function compileStatics(rules: ReadyRules, shared: SharedParts): CompiledStatics {
  const { match, targets, salt, variants } = rules;
  const seed = seedOf(salt);
  const listsUsers = targets.some(({ when }) => listsUsersIn(when));
  const headers = headersOf(rules);
  const segments = [...new Set(targets.flatMap(({ when }) => segmentsIn(when)))];
  const asks = asksOf(match, seed, shared);
  return {
    hosts: [...new Set(match.hosts)],
    paths: shared.once("paths", match.paths, () => match.paths),
    seed,
    listsUsers,
    segments: shared.once("segments", segments, () => segments),
    ...(listsUsers ? logicWithLists(rules, seed, shared) : shared.once("logic", [rules.key, targets], () => logicOf(rules, seed))),
    asks,
    narrower: asks?.meets,
    narrowness: narrownessOf(match),
    headers: shared.once("headers", headers, () => headers),
    variants: shared.once("variants", variants, () => variants),
    cohort: rules.cohort,
    mirror: rules.mirror === undefined ? undefined : compileMirror(rules.mirror, seed),
    mix: mixOf(rules.mix, shared),
    reflex: rules.reflex,
  };
}

const mixOf = (mix: ReadyRules["mix"], shared: SharedParts): CompiledMix | undefined =>
  mix === undefined ? undefined : shared.once("mix", mix, () => compileMix(mix));

/** What a match asks beside host and path: the methods first, which are read faster. */
function asksOf({ methods, headers = [] }: ReadyRules["match"], seed: number, shared: SharedParts): CompiledCondition | undefined {
  if (methods === undefined && headers.length === 0) return undefined;
  const all: ReadyCondition[] = [...(methods === undefined ? [] : [{ method: methods }]), ...headers.map((header) => ({ header }))];
  return shared.once("asks", all, () => compileCondition({ all }, tablesOf(seed)));
}

type Logic = Pick<CompiledStatics, "keys" | "targets">;

const logicOf = (rules: ReadyRules, seed: number): Logic => ({
  keys: rules.key.map(compileKeySource),
  targets: rules.targets.map((target) => compileTarget(target, seed)),
});

/** Users are hashed with the rollout's own salt, so their targets are its own; the rest may be like that of others. */
function logicWithLists(rules: ReadyRules, seed: number, shared: SharedParts): Logic {
  return {
    keys: shared.once("keys", rules.key, () => rules.key.map(compileKeySource)),
    targets: rules.targets.map((target) =>
      listsUsersIn(target.when) ? compileTarget(target, seed) : shared.once("target", target, () => compileTarget(target, seed)),
    ),
  };
}

function compileTarget({ name, variant, when: asked }: ReadyRules["targets"][number], seed: number): CompiledTarget {
  const when = compileCondition(asked, tablesOf(seed));
  return { name, variant, matches: when.meets, when };
}

/** A source of the key, with its name as `explain` says it. */
export function compileKeySource(source: KeySource): CompiledKeySource {
  if ("header" in source) return { label: `header ${source.header}`, read: (request) => present(request.headers(source.header)[0]) };
  if ("cookie" in source) {
    return { label: `cookie ${source.cookie}`, read: (request) => present(cookieValue(request.headers("cookie"), source.cookie)) };
  }
  if ("claim" in source) {
    const path = claimPath(source.claim);
    return { label: `claim ${path.join(".")}`, read: (request) => present(claimValues(request, path)[0]) };
  }
  if ("issued" in source) return { label: `issued cookie ${source.issued.cookie}`, read: (request) => request.issued?.(source.issued) };
  return { label: "client address", read: (request) => present(request.clientAddress) };
}

const present = (value: string | undefined): string | undefined => (value === "" ? undefined : value);

/** Tables of lists whose users are hashed with this salt. */
const tablesOf =
  (seed: number) =>
  (list: UserList): UserTable => {
    if ("userTable" in list) return list.userTable;
    if ("userHashes" in list) return tableOfHashes(list.userHashes);
    if ("users" in list) return tableOfHashes(list.users.map((user) => userHash(seed, user)));
    const table = unpackUsers(list.packedUsers);
    // The schema refuses it; a list taken as empty would send its users elsewhere.
    if (table === undefined) throw new TypeError("a packed list of users that is none");
    return table;
  };

function headersOf({ match, key, targets, cohort, mix = {} }: ReadyRules): string[] {
  const fromKeys = key.flatMap((source) =>
    "header" in source ? [source.header] : "cookie" in source || "issued" in source ? ["cookie"] : [],
  );
  const fromTargets = targets.flatMap(({ when }) => headersIn(when));
  const fromMatch = (match.headers ?? []).map(({ name }) => name);
  const fromCohort = cohort?.obey === undefined ? [] : [BAGGAGE];
  return [...new Set([...fromMatch, ...fromKeys, ...fromTargets, ...fromCohort, ...mixHeaders(mix)])];
}
