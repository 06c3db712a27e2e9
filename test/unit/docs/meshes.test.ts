import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { parseRollouts } from "../../../src/io/documents.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { runWith } from "../cli/cli-parts.ts";

const textOf = (path: string): string => readFileSync(join(packageRoot(), path), "utf8");
const documentsOf = (path: string): unknown[] => parseAllDocuments(textOf(path)).map((document) => document.toJS());

/** Every value under that key, however deep. */
function valuesOf(key: string, within: unknown): unknown[] {
  if (typeof within !== "object" || within === null) return [];
  return Object.entries(within).flatMap(([name, value]) => [...(name === key ? [value] : []), ...valuesOf(key, value)]);
}

describe.each(["envoy-gateway", "istio"])("docs/%s.md", (mesh) => {
  const page = textOf(`docs/${mesh}.md`);

  test("applies and links files that there are, and YAML that can be read", () => {
    const named = [...page.matchAll(/(?:apply -f |\]\(\.\.\/)([\w./-]+\.(?:yaml|ts))/g)].map(([, path = ""]) => path);
    expect(named.length).toBeGreaterThan(6);
    for (const path of named) expect(textOf(path)).not.toBe("");
    for (const [, block = ""] of page.matchAll(/^ *```yaml\n(.*?)^ *```/gms)) expect(parse(block)).toBeTypeOf("object");
  });

  test("has a rollout whose canary sets the header that the route asks for", () => {
    const [rollout] = parseRollouts(textOf(`deploy/${mesh}/rollout.yaml`), "rollout.yaml");
    expect(rollout?.variants["canary"]?.tags).toEqual({ "x-serin-variant": "canary" });
    expect(JSON.stringify(documentsOf(`deploy/${mesh}/routes.yaml`))).toMatch(/"x-serin-variant"(:\{"exact":|,"value":)"canary"/);
  });
});

test.each(["envoy-gateway/gateway.yaml", "istio/gateway.yaml", "istio/outbound.yaml"])(
  "the command line takes what deploy/%s tells the sidecar, at the socket that Envoy asks",
  async (file) => {
    const documents = documentsOf(`deploy/${file}`);
    const [args] = valuesOf("args", documents);
    const { code, error, started } = await runWith([args].flat().map(String), { defaultNats: "nats://serin-nats.serin:4222" });
    expect([code, error]).toEqual([0, ""]);
    const extProc = String(Object(started[0]).extProc);
    const sockets = [...valuesOf("pipe", documents), ...valuesOf("unix", documents)];
    expect(sockets).toEqual([{ path: extProc.replace("unix:", "") }]);
  },
);
