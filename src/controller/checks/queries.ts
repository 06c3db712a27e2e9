import { variantsBeside } from "../../contract/lanes.ts";
import { QUERY_FACTS, type Query } from "../../contract/own-checks.ts";
import { type Rollout, STABLE } from "../../contract/rollout.ts";

/** The queries of a check: one for stable, and one for each variant that grows beside it. */
export interface SideQueries {
  readonly stable: readonly string[];
  readonly canary: readonly string[];
}

/** `grown`: the variant whose users grow. */
type Asked = Readonly<{ rollout: Pick<Rollout, "name" | "variants">; run: number; grown: string }>;

/** Queries with the rollout's facts filled in. */
export function queriesOf(query: Query, asked: Asked): SideQueries {
  const names = variantsBeside(asked.rollout.variants);
  if (typeof query === "string") return { stable: [filled(query, asked, STABLE)], canary: names.map((name) => filled(query, asked, name)) };
  return { stable: [filled(query.stable, asked, STABLE)], canary: [filled(query.canary, asked, asked.grown)] };
}

/** Only whole words of ours: braces are PromQL's own too. */
const FACT = new RegExp(`\\{(${QUERY_FACTS.join("|")})\\}`, "g");

function filled(query: string, { rollout, run }: Asked, variant: string): string {
  const facts: Readonly<Record<string, string>> = {
    variant,
    cluster: quoted(rollout.variants[variant]?.cluster ?? ""),
    rollout: rollout.name,
    run: String(run),
  };
  return query.replace(FACT, (_, fact: string) => facts[fact] ?? "");
}

/** A cluster's name may hold what would end a text of PromQL. */
const quoted = (text: string): string => JSON.stringify(text).slice(1, -1);
