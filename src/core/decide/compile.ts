import type { Condition, KeySource, PathMatch, Variant, VariantName } from "../../contract/rollout.ts";
import type { LiveRule, RuleSet, StaticRules } from "../../contract/rules.ts";
import { seedOf, thresholdOf, userHash } from "./bucket.ts";
import { bySpecificity, cookieValue } from "./match.ts";
import type { Reason, RequestFacts } from "./types.ts";

/** Reads the bucketing key from a request; undefined when this source has none. */
export interface CompiledKeySource {
  readonly label: string;
  read(request: RequestFacts): string | undefined;
}

/** A rule before the share. */
export interface CompiledTarget {
  readonly name: string;
  readonly variant: VariantName;
  /** `user` is the hashed bucketing key; undefined without a key. */
  matches(request: RequestFacts, user: string | undefined): boolean;
}

/** One rollout, ready to decide with: nothing is parsed per request. */
export interface CompiledRollout {
  readonly name: string;
  readonly run: number;
  readonly off: boolean;
  /** Hash of the salt. */
  readonly seed: number;
  /** True when a target lists users, so that their hash is worth computing. */
  readonly listsUsers: boolean;
  /** 0…2³². */
  readonly threshold: number;
  /** Reason given to keys that the share decides. */
  readonly shareReason: Extract<Reason, "share" | "unwatched">;
  readonly keys: readonly CompiledKeySource[];
  readonly targets: readonly CompiledTarget[];
  readonly variants: Readonly<Record<VariantName, Variant>>;
}

/** A path of a host, and who governs it. */
export interface CompiledRoute {
  readonly path: PathMatch;
  readonly rollout: CompiledRollout;
}

/** A rule set, indexed by host, so that rollouts of other hosts cost nothing; the routes of a host stand most specific first. */
export interface CompiledRules {
  readonly epoch: number;
  readonly revision: number;
  readonly rollouts: ReadonlyMap<string, CompiledRollout>;
  readonly byHost: ReadonlyMap<string, readonly CompiledRoute[]>;
  readonly anyHost: readonly CompiledRoute[];
  /** Lower-case names of all headers that some rule reads. */
  readonly headers: ReadonlySet<string>;
}

/** Compiles a rule set once, at load; `unwatched` sends the shares home that ask for it. */
export function compile(ruleSet: RuleSet, { unwatched = false }: { unwatched?: boolean } = {}): CompiledRules {
  const headers = new Set<string>();
  const rollouts = new Map<string, CompiledRollout>();
  const hosts = new Map<string, CompiledRoute[]>();
  for (const [name, entry] of Object.entries(ruleSet.rollouts).toSorted(byName)) {
    for (const header of headersOf(entry.rules)) headers.add(header);
    const rollout = compileRollout(name, entry, unwatched);
    rollouts.set(name, rollout);
    for (const host of new Set(entry.rules.match.hosts)) {
      const routes = hosts.get(host) ?? [];
      hosts.set(host, routes);
      for (const path of entry.rules.match.paths) routes.push({ path, rollout });
    }
  }
  // Sorting is stable, so rollouts that are equally specific stay ordered by name.
  for (const routes of hosts.values()) routes.sort((a, b) => bySpecificity(a.path, b.path));
  const anyHost = hosts.get("*") ?? [];
  hosts.delete("*");
  return { epoch: ruleSet.epoch, revision: ruleSet.revision, rollouts, byHost: hosts, anyHost, headers };
}

/** Order of rollouts by name, in code units: the same in every locale. */
export const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

function compileRollout(name: string, { rules, live }: { rules: StaticRules; live: LiveRule }, unwatched: boolean): CompiledRollout {
  const sentHome = unwatched && live.whenUnwatched === "stable";
  const seed = seedOf(rules.salt);
  return {
    name,
    run: live.run,
    off: live.off,
    seed,
    listsUsers: rules.targets.some(({ when }) => "users" in when || "userHashes" in when),
    threshold: sentHome ? 0 : thresholdOf(live.shareBp),
    shareReason: sentHome ? "unwatched" : "share",
    keys: rules.key.map(compileKeySource),
    targets: rules.targets.map((target) => ({
      name: target.name,
      variant: target.variant,
      matches: compileCondition(target.when, seed),
    })),
    variants: rules.variants,
  };
}

function compileKeySource(source: KeySource): CompiledKeySource {
  if ("header" in source) return { label: `header ${source.header}`, read: (request) => present(request.headers(source.header)[0]) };
  if ("cookie" in source) {
    return { label: `cookie ${source.cookie}`, read: (request) => present(cookieValue(request.headers("cookie"), source.cookie)) };
  }
  return { label: "client address", read: (request) => present(request.clientAddress) };
}

const present = (value: string | undefined): string | undefined => (value === "" ? undefined : value);

type ValueMatch = Extract<Condition, { header: unknown }>["header"];

function compileCondition(condition: Condition, seed: number): CompiledTarget["matches"] {
  if ("header" in condition) {
    const { name } = condition.header;
    const test = valueTest(condition.header);
    return (request) => request.headers(name).some(test);
  }
  if ("cookie" in condition) {
    const { name } = condition.cookie;
    const test = valueTest(condition.cookie);
    return (request) => {
      const value = cookieValue(request.headers("cookie"), name);
      return value !== undefined && test(value);
    };
  }
  const users = new Set("users" in condition ? condition.users.map((user) => userHash(seed, user)) : condition.userHashes);
  return (_request, user) => user !== undefined && users.has(user);
}

function valueTest(matcher: ValueMatch): (value: string) => boolean {
  if ("exact" in matcher) return (value) => value === matcher.exact;
  if ("prefix" in matcher) return (value) => value.startsWith(matcher.prefix);
  return () => true;
}

function headersOf({ key, targets }: StaticRules): string[] {
  const fromKeys = key.flatMap((source) => ("header" in source ? [source.header] : "cookie" in source ? ["cookie"] : []));
  const fromTargets = targets.flatMap(({ when }) => ("header" in when ? [when.header.name] : "cookie" in when ? ["cookie"] : []));
  return [...fromKeys, ...fromTargets];
}
