import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../../src/io/package-root.ts";

const root = packageRoot();
const pages = [
  "README.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((name) => join("docs", name)),
].filter((name) => name.endsWith(".md"));
const textOf = (page: string): string => readFileSync(join(root, page), "utf8").replaceAll(/^```.*?^```/gms, "");

/** As the forges make them of a heading: lower case, without signs, spaces as hyphens. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

const anchorsOf = (page: string): string[] => [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));

/** What is wrong with where a link leads; undefined where nothing is. */
function faultOf(page: string, link: string): string | undefined {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : relative(root, join(root, dirname(page), path));
  if (!existsSync(join(root, target))) return `${page}: ${link} leads nowhere`;
  return anchor === undefined || anchorsOf(target).includes(anchor) ? undefined : `${page}: ${link}: there is no such heading`;
}

test("each link of a page leads to a file, and to a heading of it", () => {
  const links = pages.flatMap((page) => [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => [page, link] as const));
  const own = links.filter(([, link]) => !/^[a-z]+:/.test(link));
  expect(own.length).toBeGreaterThan(100);
  expect(own.flatMap(([page, link]) => faultOf(page, link) ?? [])).toEqual([]);
});

test("a link to a heading that is not there is found", () => {
  expect(faultOf("README.md", "docs/rules.md#nothing")).toBe("README.md: docs/rules.md#nothing: there is no such heading");
  expect(faultOf("docs/rules.md", "nowhere.md")).toBe("docs/rules.md: nowhere.md leads nowhere");
});

test("each page of the documentation is linked from the README", () => {
  const linked = new Set([...textOf("README.md").matchAll(/\]\((docs\/[^)#\s]+)/g)].map(([, path]) => path));
  expect(pages.filter((page) => /^docs\/[^/]+\.md$/.test(page) && !linked.has(page))).toEqual([]);
});
