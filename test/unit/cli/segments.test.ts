import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { segmentSalt } from "../../../src/contract/segments.ts";
import { packUsers, tableOfHashes } from "../../../src/contract/user-lists.ts";
import { hashKey } from "../../../src/core/decide/bucket.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { runWith } from "./cli-parts.ts";

const EXAMPLE = join(packageRoot(), "docs", "examples", "segment.yaml");
const directory = mkdtempSync(join(tmpdir(), "serin-cli-"));
afterAll(() => rmSync(directory, { recursive: true }));

function fileOf(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}
const segmentWith = (name: string, more: string): string => fileOf(name, `apiVersion: serin/v1\nkind: Segment\nname: testers\n${more}\n`);
const packedOf = (...users: string[]) => packUsers(tableOfHashes(users.map((user) => hashKey(segmentSalt("testers"), user))));
const usersOf = async (file: string): Promise<unknown> =>
  JSON.parse((await runWith(["rules", "-f", file])).out).segments.testers.packedUsers;

describe("the users of a segment", () => {
  test("are hashed under the segment's own salt, and none of them is printed", async () => {
    const { out } = await runWith(["rules", "-f", segmentWith("a.yaml", "users: [alice, bob]")]);
    expect(JSON.parse(out).segments).toEqual({ testers: { packedUsers: packedOf("alice", "bob") } });
    expect(out).not.toContain("alice");
  });

  test("come from a file beside it too, as they stand, each once", async () => {
    fileOf("users.txt", "\uFEFFbob\r\n\r\n# no comment\n  cy  \nalice\nalice");
    const file = segmentWith("b.yaml", "users: [alice]\nusersFrom: users.txt");
    expect(await usersOf(file)).toBe(packedOf("alice", "bob", "# no comment", "  cy  "));
    expect((await runWith(["apply", "-f", file, "--dry-run"])).out).toBe("segment testers: valid with 4 users, nothing sent\n");
  });

  test("may be none where there is a condition", async () => {
    const file = segmentWith("c.yaml", "when: { method: [GET] }");
    expect(JSON.parse((await runWith(["rules", "-f", file])).out).segments).toEqual({ testers: { when: { method: ["GET"] } } });
  });

  test("are counted by apply --dry-run, as JSON too", async () => {
    const file = segmentWith("d.yaml", "users: [alice]");
    expect((await runWith(["apply", "-f", file, "--dry-run"])).out).toBe("segment testers: valid with 1 user, nothing sent\n");
    const ran = await runWith(["apply", "-f", file, "--dry-run", "--json"]);
    expect(JSON.parse(ran.out)).toEqual({ valid: [], segments: [{ name: "testers", users: 1 }] });
  });
});

describe("a file of users is refused", () => {
  fileOf("empty.txt", "\n\r\n");
  fileOf("long.txt", `a\n${"b".repeat(1_025)}\n`);
  test.each([
    { from: "missing.txt", problem: "missing.txt cannot be read (ENOENT); name a file by its place relative to this one" },
    { from: "empty.txt", problem: "empty.txt names nobody; write one key a line" },
    { from: "long.txt", problem: "line 2 of long.txt has 1025 characters; write one key a line, 1024 at most" },
  ])("$from", async ({ from, problem }) => {
    const file = segmentWith("bad.yaml", `usersFrom: ${from}`);
    const ran = await runWith(["apply", "-f", file, "--dry-run"]);
    expect([ran.code, ran.error]).toEqual([2, `${file}:4:12: usersFrom: ${problem}\n`]);
  });
});

describe("rules", () => {
  test("refuse a rollout that asks for a segment that no file holds", async () => {
    const rollout = (segment: string): string =>
      `apiVersion: serin/v1\nkind: Rollout\nname: cart\nkey: [{header: x-user}]\nvariants: {stable: {cluster: s}, canary: {cluster: c}}\ntargets: [{name: t, when: {segment: ${segment}}, variant: canary}]\nstrategy: {use: fast}\n`;
    const file = fileOf("cart.yaml", rollout("vips"));
    const alone = await runWith(["rules", "-f", file]);
    const fix = "name its file too, by -f FILE\n";
    expect([alone.code, alone.error]).toEqual([2, `rollout cart asks for the segment vips, and no file holds a segment; ${fix}`]);
    const other = await runWith(["rules", "-f", file, "-f", segmentWith("e.yaml", "users: [alice]")]);
    expect(other.error).toBe(`rollout cart asks for the segment vips, and there are testers; ${fix}`);
  });

  test("refuse a segment that two files hold", async () => {
    const ran = await runWith(["rules", "-f", segmentWith("f.yaml", "users: [alice]"), "-f", segmentWith("g.yaml", "users: [bob]")]);
    expect([ran.code, ran.error]).toEqual([2, "two files hold a segment testers; give each its own name\n"]);
  });
});

describe("of the example, explain says", () => {
  const explained = async (...headers: string[]): Promise<{ variant: string; segment: string }> => {
    const rules = fileOf("rules.json", (await runWith(["rules", "-f", EXAMPLE])).out);
    const args = ["explain", "--rules", rules, "--host", "search.example", "--path", "/", "--json"];
    const { decision, steps } = JSON.parse((await runWith([...args, ...headers.flatMap((header) => ["--header", header])])).out);
    return { variant: decision.variant, segment: steps.find(({ step }: { step: string }) => step === "segment").text };
  };
  test.each([
    { who: "x-user-id=ann", variant: "canary", segment: "segment testers holds: the user is listed" },
    { who: "x-user-id=dora@shop.example", variant: "canary", segment: "segment testers holds: the user is listed" },
    { who: "x-office=graz", variant: "canary", segment: "segment testers holds by its condition" },
    { who: "x-user-id=eve", variant: "stable", segment: "segment testers does not hold" },
  ])("$who: $segment", async ({ who, ...expected }) => {
    expect(await explained(who)).toEqual(expected);
  });
});

test("get asks for a segment by that word alone", async () => {
  const ran = await runWith(["get", "segments", "testers"]);
  expect([ran.code, ran.error]).toEqual([2, "get segments testers: write `get ROLLOUT`, `get segment NAME` or `get template NAME`\n"]);
});
