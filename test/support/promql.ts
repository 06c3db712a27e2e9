import { parser } from "@prometheus-io/lezer-promql";

/** A selector of series in an expression. */
export interface Selector {
  readonly metric: string;
  /** Labels that it matches on. */
  readonly matched: readonly string[];
  /** The function that it is handed to at once, like `rate`; empty where none is. */
  readonly under: string;
}

type Node = ReturnType<typeof parser.parse>["topNode"];

const RATES = new Set(["rate", "irate", "increase"]);

/** An expression taken apart by Prometheus' own grammar; throws where that finds a fault. */
export function readPromql(expr: string): { selectors: Selector[]; kept: string[] } {
  const text = (node: Node | null | undefined): string => (node === null || node === undefined ? "" : expr.slice(node.from, node.to));
  const nodes: Node[] = [];
  parser.parse(expr).iterate({
    enter: ({ node, type }) => {
      if (type.isError) throw new Error(`no PromQL at ${node.from}: ${expr}`);
      nodes.push(node);
    },
  });
  const named = (name: string): Node[] => nodes.filter((node) => node.name === name);
  const selectors = named("VectorSelector").map((node) => ({
    metric: text(node.getChild("Identifier")),
    matched: (node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? []).map((matcher) =>
      text(matcher.getChild("LabelName")),
    ),
    under: functionOver(node, text),
  }));
  const kept = named("GroupingLabels").flatMap((node) => node.getChildren("LabelName").map(text));
  return { selectors, kept };
}

function functionOver(selector: Node, text: (node: Node | null) => string): string {
  for (let node = selector.parent; node !== null; node = node.parent) {
    if (node.name === "FunctionCall") return text(node.getChild("FunctionIdentifier"));
    if (node.name === "AggregateExpr" || node.name === "BinaryExpr") return "";
  }
  return "";
}

/** Whether a function makes a rate or an amount of a counter. */
export const isRate = (name: string): boolean => RATES.has(name);
