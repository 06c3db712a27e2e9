import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../../src/io/package-root.ts";

const root = packageRoot();
const filesIn = (folder: string, end: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(end))
    .map((name) => `${folder}/${name}`);

/** Blocks of commands that no test runs as they stand: why, and which, by page and mark. What only parses them is `commands.test.ts`. */
const NOT_RUN = {
  "needs a cluster of Kubernetes; test/deploy/cluster-pages.test.ts and cluster-controller.test.ts run what needs no containers on a real API server":
    ["docs/istio.md", "docs/envoy-gateway.md", "docs/kubernetes.md", "docs/kubernetes-glue.md"],
  "needs Docker; test/e2e/compose.test.ts runs the commands of the compose file as processes": ["docs/compose.md"],
  "names the reader's hosts; test/e2e/nats-cluster.test.ts starts three servers by the same files": ["docs/hosts.md"],
  "is a file or a start with the reader's hosts: test/unit/docs/hosts.test.ts reads them as the programs do": [
    "docs/hosts.md flags",
    "docs/hosts.md cluster-flags",
  ],
  "downloads and runs for minutes; test/e2e/demo.test.ts and package.test.ts run the same in pieces": [
    "README.md demo",
    "docs/get-started.md demo",
    "docs/release.md install",
  ],
} as const;

// Decisions tell of their day.
const pages = ["README.md", ...filesIn("docs", ".md").filter((page) => !page.startsWith("docs/decisions/"))];
const textOf = (path: string): string => readFileSync(join(root, path), "utf8");
const blocks = pages.flatMap((page) => [...textOf(page).matchAll(/^ *```sh(.*)$/gm)].map(([, mark = ""]) => `${page}${mark}`));

const tests = ["test/e2e", "test/integration", "test/support", "test/unit/monitoring", "test/deploy"].flatMap((folder) =>
  filesIn(folder, ".ts"),
);
const CALL = /\bcommandsOf\(\s*"(.+?)",\s*"(.+?)",?\s*\)/g;
const run = tests.flatMap((path) => [...textOf(path).matchAll(CALL)].map(([, page, mark]) => `${page} ${mark}`));
const excepted: string[] = Object.values(NOT_RUN).flat();

test("each block of commands is run by a test as it stands in its page, or there is a reason why not", () => {
  expect(blocks.length).toBeGreaterThan(50);
  // Give it a mark, and let a test take its lines by `commandsOf`.
  expect(blocks.filter((block) => !run.includes(block) && !excepted.includes(block))).toEqual([]);
});

test("no exception is for a block that is run, or that there is not", () => {
  expect(excepted.filter((block) => run.includes(block) || !blocks.includes(block))).toEqual([]);
  expect(run.filter((block) => !blocks.includes(block))).toEqual([]);
});
