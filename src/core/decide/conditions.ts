import ipaddr from "ipaddr.js";
import { type Condition, claimPath, innerConditions, type ValueMatch } from "../../contract/conditions.ts";
import type { ReadyCondition, ReadyLeaf, UserList } from "../../contract/rules.ts";
import type { UserTable } from "../../contract/user-lists.ts";
import { claimValues, cookieValue, pathMatches, queryValues } from "./match.ts";
import type { RequestFacts, Subject } from "./types.ts";
import { holdsUser } from "./user-table.ts";
import { compileValueTest, compileVersion, isOverlong } from "./value-tests.ts";

/** Whether a request of somebody meets a condition. */
export type Meets = (request: RequestFacts, subject: Subject) => boolean;

/** A condition ready to be asked, and to be told of: what failed is found by asking its parts again. */
export type CompiledCondition = {
  /** False, too, where that hangs on a segment which is not known. */
  readonly meets: Meets;
  /** True, too, there: what `not` must know of its part. The same where no segment is asked for. */
  readonly mayMeet: Meets;
} & Told;
type Told =
  | { readonly kind: "all" | "any"; readonly inner: readonly CompiledCondition[] }
  | { readonly kind: "not"; readonly inner: CompiledCondition }
  | { readonly kind: "leaf"; readonly asked: AskedLeaf };

/** What a condition without others inside asks, as the rule says it. Users of a list are not kept as text: their number is all that is told. */
export type AskedLeaf = Exclude<ReadyLeaf, UserList> | { readonly listedUsers: number };

/** Compiles a condition; nothing is parsed per request, and no value that a client sends makes it throw. */
export function compileCondition(condition: ReadyCondition, tableOf: (list: UserList) => UserTable): CompiledCondition {
  const compiled = (inner: ReadyCondition): CompiledCondition => compileCondition(inner, tableOf);
  if ("all" in condition) return allOf(condition.all.map(compiled));
  if ("any" in condition) return anyOf(condition.any.map(compiled));
  if ("not" in condition) return noneOf(compiled(condition.not));
  if (isUserList(condition)) return listedIn(tableOf(condition));
  const meets = compileLeaf(condition);
  if (!("segment" in condition)) return { kind: "leaf", asked: condition, meets, mayMeet: meets };
  const { segment } = condition;
  return {
    kind: "leaf",
    asked: condition,
    meets,
    mayMeet: (request, { key, segments }) => segments?.mayHold(segment, request, key) !== false,
  };
}

const allOf = (inner: readonly CompiledCondition[]): CompiledCondition => ({
  kind: "all",
  inner,
  ...ofParts(inner, (parts) => (request, subject) => parts.every((meets) => meets(request, subject))),
});

const anyOf = (inner: readonly CompiledCondition[]): CompiledCondition => ({
  kind: "any",
  inner,
  ...ofParts(inner, (parts) => (request, subject) => parts.some((meets) => meets(request, subject))),
});

type Asking = Pick<CompiledCondition, "meets" | "mayMeet">;

function ofParts(inner: readonly CompiledCondition[], join: (parts: readonly Meets[]) => Meets): Asking {
  const meets = join(inner.map((part) => part.meets));
  const isOne = inner.every((part) => part.meets === part.mayMeet);
  return { meets, mayMeet: isOne ? meets : join(inner.map((part) => part.mayMeet)) };
}

/** Not to be in a segment that nobody knows is not to be trusted: `not` would hold for everybody. */
function noneOf(inner: CompiledCondition): CompiledCondition {
  const meets: Meets = (request, subject) => !inner.mayMeet(request, subject);
  const mayMeet: Meets = inner.meets === inner.mayMeet ? meets : (request, subject) => !inner.meets(request, subject);
  return { kind: "not", inner, meets, mayMeet };
}

/** Its own function, so that it holds on to the table and not to the list that the table was made of. */
function listedIn(table: UserTable): CompiledCondition {
  const meets: Meets = (_request, { user }) => user !== undefined && holdsUser(table, user);
  return { kind: "leaf", asked: { listedUsers: table.length >>> 1 }, meets, mayMeet: meets };
}

/** Whether a condition is a list of users itself. */
const isUserList = (condition: ReadyCondition): condition is UserList =>
  "users" in condition || "userHashes" in condition || "packedUsers" in condition || "userTable" in condition;

/** Whether a condition, or one inside it, lists users. */
export const listsUsersIn = (condition: ReadyCondition): boolean =>
  isUserList(condition) || innerConditions<ReadyCondition>(condition).some(listsUsersIn);

/** Names of the segments that a condition asks for. */
export const segmentsIn = (condition: Condition | ReadyCondition): readonly string[] =>
  "segment" in condition ? [condition.segment] : innerConditions<Condition | ReadyCondition>(condition).flatMap(segmentsIn);

function compileLeaf(leaf: Exclude<ReadyLeaf, UserList>): Meets {
  if ("header" in leaf) return ofValues(leaf.header, (request, name) => request.headers(name));
  if ("cookie" in leaf) return ofValues(leaf.cookie, (request, name) => present(cookieValue(request.headers("cookie"), name)));
  if ("query" in leaf) return ofValues(leaf.query, (request, name) => queryValues(request.path, name));
  if ("claim" in leaf) {
    const path = claimPath(leaf.claim.name);
    return ofValues(leaf.claim, (request) => claimValues(request, path));
  }
  if ("path" in leaf) return (request) => pathMatches(leaf.path, request.path);
  if ("method" in leaf) {
    const methods = new Set(leaf.method);
    return (request) => methods.has(request.method);
  }
  if ("segment" in leaf) return inSegment(leaf.segment);
  return "clientAddress" in leaf ? inNetworks(leaf.clientAddress) : ofUserAgent(leaf.userAgent);
}

/** Looked up when it is asked, so that a changed segment compiles no rollout anew. */
const inSegment =
  (name: string): Meets =>
  (request, { key, segments }) =>
    segments?.holds(name, request, key) === true;

const present = (value: string | undefined): readonly string[] => (value === undefined ? [] : [value]);

/** A match of a value by another kind of name. */
type Named<Match, Name> = Match extends { name: unknown } ? Omit<Match, "name"> & { readonly name: Name } : never;

/** What is asked of the values of one name: any one of them suffices. */
function ofValues<Name>(match: Named<ValueMatch, Name>, read: (request: RequestFacts, name: Name) => readonly string[]): Meets {
  const { name } = match;
  if ("present" in match) return (request) => read(request, name).length > 0 === match.present;
  const test = compileValueTest(match);
  if (!("regex" in match)) {
    return (request) => {
      // A loop: this is asked of every request, and most values stand alone.
      for (const value of read(request, name)) if (test(value)) return true;
      return false;
    };
  }
  return (request) => {
    const values = read(request, name);
    if (values.some(isOverlong)) request.overlong?.();
    return values.some(test);
  };
}

function inNetworks(texts: readonly string[]): Meets {
  const holds = networksOf(texts);
  return ({ clientAddress }) => holds(clientAddress);
}

/** Whether an address lies in one of the networks; what is no address lies in none. */
export function networksOf(texts: readonly string[]): (address: string | undefined) => boolean {
  const networks = texts.map((text) => ipaddr.parseCIDR(text));
  return (clientAddress) => {
    if (clientAddress === undefined || !ipaddr.isValid(clientAddress)) return false;
    const address = ipaddr.process(clientAddress); // IPv4 in IPv6's clothes is IPv4
    return networks.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
  };
}

/** Tokens of `User-Agent`: a product and its version (RFC 9110, 10.1.5). */
function ofUserAgent({ product, version }: { readonly product: string; readonly version?: string | undefined }): Meets {
  const isWanted = version === undefined ? () => true : compileVersion(version);
  return (request) =>
    request.headers("user-agent").some((header) =>
      productsIn(header).some((token) => {
        const slash = token.indexOf("/");
        return slash === -1
          ? token === product && version === undefined
          : token.slice(0, slash) === product && isWanted(token.slice(slash + 1));
      }),
    );
}

const MAX_PRODUCTS = 100;

/** Tokens of a `User-Agent`: products, most of them with their version behind a slash. */
export const productsIn = (header: string): readonly string[] => header.split(/[\s;()]+/, MAX_PRODUCTS);

/** Names of the headers that a condition reads. */
export function headersIn(condition: ReadyCondition): readonly string[] {
  if ("header" in condition) return [condition.header.name];
  if ("cookie" in condition) return ["cookie"];
  if ("userAgent" in condition) return ["user-agent"];
  return innerConditions<ReadyCondition>(condition).flatMap(headersIn);
}
