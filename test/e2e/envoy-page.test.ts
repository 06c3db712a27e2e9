import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, inject, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { METRIC_FACTS } from "../../src/contract/metric-facts.ts";
import { RolloutSchema } from "../../src/contract/rollout.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { blocksOf, commandsOf } from "../support/doc-blocks.ts";
import { startEdgeForTest } from "../support/edge.ts";
import { withCluster } from "../support/edge-config.ts";

const root = packageRoot();
const page = readFileSync(join(root, "docs", "envoy.md"), "utf8");
const text = readFileSync(join(root, "envoy", "envoy.yaml"), "utf8");

/** Every value under that key, however deep. */
function valuesOf(key: string, within: unknown): unknown[] {
  if (typeof within !== "object" || within === null) return [];
  return Object.entries(within).flatMap(([name, value]) => [...(name === key ? [value] : []), ...valuesOf(key, value)]);
}

test("the command by which docs/envoy.md checks a configuration accepts the one that is shipped", async () => {
  const [command = ""] = commandsOf("docs/envoy.md", "check");
  const [program, ...args] = command.trim().split(" ");
  expect(program).toBe("envoy");
  const { stdout } = await promisify(execFile)(inject("envoyProgram"), args, { cwd: root });
  expect(stdout).toContain(" OK");
});

test("each part that the page shows stands in the file as it is shown", () => {
  const shipped: unknown = parse(text, { merge: true });
  const parts = blocksOf(page, "yaml part").flatMap((block) => Object.entries(parse(block)));
  expect(parts.map(([key]) => key)).toEqual(["endpoints", "priority_groups", "dynamic_metadata"]);
  for (const [key, value] of parts) expect(valuesOf(key, shipped)).toContainEqual(value);
});

/** An upstream that answers everything so; its `HOST:PORT`. */
async function startUpstream(status: number, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(body)).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens on no port");
  return `127.0.0.1:${address.port}`;
}

/** The shipped configuration with all that the page says of the variant `narrow`. */
const withNarrow =
  (address: string) =>
  (shipped: string): string => {
    const [cluster, group, match] = ["cluster", "group", "match"].map((mark) => blocksOf(page, `yaml ${mark}`).join("").trim());
    const inserted = [
      [/^ *(- \{ name: )canary, clusters: .*\n/m, `$&                            - ${group}\n`],
      ["value: { string_match: { exact: canary } }", `value: { ${match} }`],
      [/^ {2}clusters:\n/m, `$&    - ${JSON.stringify(parse(cluster ?? ""))}\n`],
    ] as const;
    for (const [where] of inserted) expect(shipped.split(where).length).toBeGreaterThan(1);
    return inserted.reduce((text, [where, what]) => text.replace(where, what), withCluster("narrow", address)(shipped));
  };

const narrow = RolloutSchema.parse({
  apiVersion: "serin/v1",
  kind: "Rollout",
  name: "layout",
  match: { hosts: ["layout.example"] },
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: "stable" }, canary: { cluster: "canary" }, narrow: { cluster: "narrow" } },
  targets: [{ name: "wanted", variant: "narrow", when: { header: { name: "x-want", exact: "narrow" } } }],
  strategy: { type: "abTest", shares: { canary: "30%", narrow: "30%" }, time: "14d" },
});

test("a further variant, added as the page says, gets its users, and stable answers for it where it fails", async () => {
  const [stable, canary, failing] = await Promise.all([startUpstream(200, "stable"), startUpstream(200, "canary"), startUpstream(503, "")]);
  const edge = await startEdgeForTest({ stable, canary, rollouts: [narrow], change: withNarrow(failing) });
  const ask = async (method: string) => {
    const headers = { host: "layout.example", "x-want": "narrow", "x-user-id": "alice" };
    const sent = request({ port: edge.envoy.port, host: "127.0.0.1", method, agent: false, headers }).end();
    const [response] = await once(sent, "response");
    response.resume();
    await once(response, "end");
    return response.statusCode;
  };
  expect([await ask("GET"), await ask("POST")]).toEqual([200, 503]);
});

test("what the page's table takes is there to take, and its metric is one", () => {
  const names = [...page.matchAll(/^\| ((?:cluster )?`[^|]+) \| .* \|/gm)].flatMap(
    ([, cell = ""]) => cell.match(/(?<=`)[\w.-]+(?=`)/g) ?? [],
  );
  expect(names.length).toBeGreaterThan(8);
  expect(names.filter((name) => !text.includes(name))).toEqual([]);
  const metrics = page.match(/serin_\w+/g) ?? [];
  expect(metrics.filter((metric) => !METRIC_FACTS.some(({ name }) => name === metric))).toEqual([]);
});
