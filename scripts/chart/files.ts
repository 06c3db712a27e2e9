import { stringify } from "yaml";
import { z } from "zod";
import { monitoringFiles } from "../monitoring/files.ts";
import { table } from "../page.ts";
import { ValuesSchema } from "./values.ts";

/** What is read of a JSON Schema. */
interface Node {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
}

const CHART = "deploy/helm/serin";

// The schema library's own form of JSON Schema; the output's, in which every value is there, as it is in Helm.
const schema = z.toJSONSchema(ValuesSchema, { io: "output" }) as Node;

const flow = (value: unknown): string =>
  stringify(value, { collectionStyle: "flow", defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN", lineWidth: 0 }).trim();

/** A value, or a group of them, with its place. */
type Entry = Readonly<{ path: readonly string[]; node: Node }>;

const entries = ({ properties = {} }: Node, above: readonly string[] = []): Entry[] =>
  Object.entries(properties)
    .filter(([name]) => name !== "global")
    .flatMap(([name, node]) => [{ path: [...above, name], node }, ...entries(node, [...above, name])]);

function valuesText(): string {
  const lines = entries(schema).flatMap(({ path, node }) => {
    const indent = "  ".repeat(path.length - 1);
    const name = `${indent}${path.at(-1)}:`;
    const gap = path.length === 1 ? [""] : [];
    if (node.properties !== undefined) return [...gap, name];
    return [...gap, `${indent}# ${node.description}`, `${name} ${flow(node.default)}`];
  });
  return [
    "# Made by `npm run docs` from scripts/chart/values.ts; do not edit. Write what differs into a file of your own.",
    ...lines,
    "",
  ].join("\n");
}

function readmeText(): string {
  const rows = entries(schema)
    .filter(({ node }) => node.properties === undefined)
    .map(({ path, node }) => [`\`${path.join(".")}\``, `\`${flow(node.default)}\``, node.description ?? ""]);
  return [
    "<!-- Made by `npm run docs` from scripts/chart/values.ts; do not edit. -->\n",
    "# The chart of Serin\n",
    "Controllers that judge and publish, and sidecars that gateways ask. [Kubernetes](../../../docs/kubernetes.md) tells how to install, connect Envoy and upgrade.",
    "Unknown values are refused. `ci/` has examples, each rendered, decoded strictly and checked.\n",
    "```sh",
    "helm install serin deploy/helm/serin --namespace serin --create-namespace --set image.repository=REGISTRY/serin --set nats.url=nats://nats.nats:4222 --wait --timeout 5m",
    "helm test serin --namespace serin",
    "```\n",
    "## Values\n",
    `${table(["Value", "Default", "Meaning"], rows)}\n`,
  ].join("\n");
}

/** What a chart can hold of deploy/ are copies: Helm reads nothing outside its folder. */
function copies(): [string, string][] {
  return Object.entries(monitoringFiles()).map(([path, text]) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    return path.endsWith(".json") ? [`files/dashboards/${name}`, `${JSON.stringify(JSON.parse(text))}\n`] : [`files/${name}`, text];
  });
}

/** Files of the chart that follow from something else, by path. */
export const chartFiles = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [
      ["values.yaml", valuesText()] as const,
      ["values.schema.json", `${JSON.stringify(schema, null, 2)}\n`] as const,
      ["README.md", readmeText()] as const,
      ...copies(),
    ].map(([name, text]) => [`${CHART}/${name}`, text]),
  );
