import { claimPath, type PathMatch } from "../../contract/conditions.ts";
import { grownVariant, type KeySource, type VariantName, type Variants } from "../../contract/rollout.ts";
import type { ReadyRules, UserList } from "../../contract/rules.ts";
import { tableOfHashes, type UserTable, unpackUsers } from "../../contract/user-lists.ts";
import { seedOf, userHash } from "./bucket.ts";
import { compileCondition, headersIn, listsUsersIn, type Meets, ofValues, segmentsIn } from "./conditions.ts";
import { claimValues, cookieValue, narrownessOf } from "./match.ts";
import { NOBODY, type RequestFacts } from "./types.ts";

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
}

/** Static rules of one rollout, compiled: what is re-used while only the live rule changes. Lists of users stand here and nowhere else. */
export interface CompiledStatics {
  /** Each once. */
  readonly hosts: readonly string[];
  readonly paths: readonly PathMatch[];
  /** What else is asked of a request; undefined when nothing is. */
  readonly narrower: Meets | undefined;
  /** How much that is: of two that match, the narrower governs. */
  readonly narrowness: number;
  /** Hash of the salt. */
  readonly seed: number;
  /** True when a target lists users, so that their hash is worth computing. */
  readonly listsUsers: boolean;
  /** True when a target asks for a segment. */
  readonly asksSegments: boolean;
  readonly keys: readonly CompiledKeySource[];
  readonly targets: readonly CompiledTarget[];
  readonly variants: Readonly<Variants>;
  /** The variant that the share is for. */
  readonly grown: VariantName;
  /** Lower-case names of the headers that match, keys and targets read, each once. */
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
  return {
    hosts: [...new Set(match.hosts)],
    paths: shared.once("paths", match.paths, () => match.paths),
    seed,
    listsUsers,
    asksSegments: targets.some(({ when }) => segmentsIn(when).length > 0),
    ...(listsUsers ? logicWithLists(rules, seed, shared) : shared.once("logic", [rules.key, targets], () => logicOf(rules, seed))),
    narrower: narrowerMatch(match, shared),
    narrowness: narrownessOf(match),
    headers: shared.once("headers", headers, () => headers),
    variants: shared.once("variants", variants, () => variants),
    grown: grownVariant(variants),
  };
}

/** What a match asks beside host and path: the methods first, which are read faster. */
function narrowerMatch({ methods, headers = [] }: ReadyRules["match"], shared: SharedParts): Meets | undefined {
  if (methods === undefined && headers.length === 0) return undefined;
  return shared.once("narrower", [methods, headers], (): Meets => {
    const wanted = methods === undefined ? undefined : new Set(methods);
    const tests = headers.map((header) => ofValues(header, (request, name) => request.headers(name)));
    return (request) => (wanted === undefined || wanted.has(request.method)) && tests.every((test) => test(request, NOBODY));
  });
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

const compileTarget = ({ name, variant, when }: ReadyRules["targets"][number], seed: number): CompiledTarget => ({
  name,
  variant,
  matches: compileCondition(when, (list) => tableOf(list, seed)),
});

function compileKeySource(source: KeySource): CompiledKeySource {
  if ("header" in source) return { label: `header ${source.header}`, read: (request) => present(request.headers(source.header)[0]) };
  if ("cookie" in source) {
    return { label: `cookie ${source.cookie}`, read: (request) => present(cookieValue(request.headers("cookie"), source.cookie)) };
  }
  if ("claim" in source) {
    const path = claimPath(source.claim);
    return { label: `claim ${path.join(".")}`, read: (request) => present(claimValues(request, path)[0]) };
  }
  return { label: "client address", read: (request) => present(request.clientAddress) };
}

const present = (value: string | undefined): string | undefined => (value === "" ? undefined : value);

function tableOf(list: UserList, seed: number): UserTable {
  if ("userTable" in list) return list.userTable;
  if ("userHashes" in list) return tableOfHashes(list.userHashes);
  if ("users" in list) return tableOfHashes(list.users.map((user) => userHash(seed, user)));
  const table = unpackUsers(list.packedUsers);
  // The schema refuses it; a list taken as empty would send its users elsewhere.
  if (table === undefined) throw new TypeError("a packed list of users that is none");
  return table;
}

function headersOf({ match, key, targets }: ReadyRules): string[] {
  const fromKeys = key.flatMap((source) => ("header" in source ? [source.header] : "cookie" in source ? ["cookie"] : []));
  const fromTargets = targets.flatMap(({ when }) => headersIn(when));
  const fromMatch = (match.headers ?? []).map(({ name }) => name);
  return [...new Set([...fromMatch, ...fromKeys, ...fromTargets])];
}
