import { UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import type { IssuedCookie } from "../contract/rollout.ts";
import { type ReadyRuleSet, RuleSetSchema } from "../contract/rules.ts";
import { readIssuedCookies } from "../io/issued-cookies.ts";
import { readOperatorKeys } from "../io/kill-signatures.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { explanationOf, type RulesInForce, rulesInNats } from "../told/explanation.ts";
import { withNats } from "./connection.ts";
import { readText } from "./documents.ts";
import type { CliParts } from "./parts.ts";

export interface ExplainFlags extends NatsFlags {
  readonly host: string;
  readonly path: string;
  readonly method?: string;
  readonly header: ReadonlyMap<string, readonly string[]>;
  readonly claim: ReadonlyMap<string, readonly string[]>;
  readonly address?: string;
  readonly trustedPeer?: boolean;
  /** Of the sidecar that is asked; without any, groups of sidecars are told and not looked at. */
  readonly label?: readonly (readonly [string, string])[];
  readonly rules?: string;
  readonly cookieKey?: string;
  readonly operatorKeys?: string;
  readonly json?: boolean;
}

/** A sidecar that reads a file hears no orders. */
const NO_ORDERS = { orders: { inForce: [], refused: [] }, isChecked: false };

/** Tells which variant a request gets, and every step of why, by the same code that the sidecar runs. */
export async function explainRequest(flags: ExplainFlags, parts: CliParts): Promise<ExitCode> {
  const rules = flags.rules === undefined ? await fromNats(flags) : { ruleSet: await fromFile(flags.rules), ...NO_ORDERS };
  const { host, path, method = "GET", address: clientAddress, trustedPeer: isTrustedPeer = false } = flags;
  const headers = new Map([...flags.header, [":method", [method]]]);
  const issued = await issuedIds(flags.cookieKey, headers.get("cookie") ?? []);
  const facts = {
    host,
    path,
    method,
    headers: (name: string) => headers.get(name) ?? [],
    claims: (names: readonly string[]) => flags.claim.get(names.join(".")) ?? [],
    clientAddress,
    isTrustedPeer,
    issued,
  };
  const explanation = explanationOf(rules, facts, flags.label && Object.fromEntries(flags.label));
  if (flags.json === true) parts.out(`${JSON.stringify(explanation)}\n`);
  else parts.out(explanation.steps.map(({ rollout, text }) => `${rollout === undefined ? "" : `${rollout}: `}${text}\n`).join(""));
  return EXIT.done;
}

/** The id that a cookie of ours carries; without a valid one a new one, as a sidecar makes it up. */
async function issuedIds(
  file: string | undefined,
  cookieHeaders: readonly string[],
): Promise<(cookie: IssuedCookie) => string | undefined> {
  if (file === undefined) return () => undefined;
  const cookies = await readIssuedCookies(file);
  const made = new Map<string, string>();
  return (cookie) => {
    const found = cookies.read(cookie.cookie, cookieHeaders);
    if (typeof found === "object") return found.id;
    const id = made.get(cookie.cookie) ?? cookies.issue(cookie).id;
    made.set(cookie.cookie, id);
    return id;
  };
}

async function fromFile(file: string): Promise<ReadyRuleSet> {
  const text = await readText(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${file} is not JSON; make it with \`serin rules -f ROLLOUT > ${file}\``, { cause });
  }
  const result = RuleSetSchema.safeParse(value);
  if (result.success) return result.data;
  const first = result.error.issues[0];
  throw new UsageError(
    `${file}: ${first?.path.join(".") ?? ""}: ${first?.message ?? "not a rule set"}; make it with \`serin rules -f ROLLOUT > ${file}\``,
  );
}

async function fromNats({ operatorKeys, ...flags }: ExplainFlags): Promise<RulesInForce> {
  const keys = operatorKeys === undefined ? undefined : await readOperatorKeys(operatorKeys);
  const found = await withNats(flags, (link) => rulesInNats(link, keys));
  if (found === undefined) throw new UsageError("no rules stand in NATS yet; apply a rollout first, or name a file by --rules");
  return found;
}
