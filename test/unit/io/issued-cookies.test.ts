import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createIssuedCookies, readIssuedCookies } from "../../../src/io/issued-cookies.ts";

const [KEY, OTHER] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const cookies = createIssuedCookies([KEY]);
const issue = (name = "serin-id", by = cookies) => {
  const { id, setCookie } = by.issue({ cookie: name, maxAge: "365d" });
  return { id, setCookie, value: setCookie.slice(name.length + 1, setCookie.indexOf(";")) };
};

describe("a cookie of ours", () => {
  test("is set for scripts and other sites to have no part in it, for as long as the rollout says", () => {
    const { id, setCookie } = issue();
    expect(id).toMatch(/^[\w-]{22}$/);
    expect(setCookie).toMatch(/^serin-id=[\w-]{22}\.[\w-]{22}; Max-Age=31536000; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
    expect(setCookie).toContain(`=${id}.`);
  });

  test("is another one each time, and read again by every sidecar with the key", () => {
    const issued = Array.from({ length: 100 }, () => issue());
    expect(new Set(issued.map(({ id }) => id)).size).toBe(100);
    const elsewhere = createIssuedCookies([OTHER, KEY]);
    for (const { id, value } of issued) expect(elsewhere.read("serin-id", [`a=b; serin-id=${value}`])).toEqual({ id });
  });

  test("is found beside others of its name that are not ours, in any header", () => {
    const { id, value } = issue();
    expect(
      cookies.read("serin-id", ["serin-id=tossed; serin-ids=1", `x=1; serin-id=${"a".repeat(22)}.${"b".repeat(22)};serin-id=${value}`]),
    ).toEqual({ id });
  });

  test("is not looked for among very many", () => {
    const { value } = issue();
    expect(cookies.read("serin-id", [`${"serin-id=x; ".repeat(100)}serin-id=${value}`])).toBe("invalid");
  });

  const { id, value } = issue();
  const mac = value.slice(-22);
  test.each([
    { title: "of another key", text: `serin-id=${issue("serin-id", createIssuedCookies([OTHER])).value}` },
    { title: "issued under another name", text: `serin-id=${issue("other-id").value}` },
    { title: "with another id", text: `serin-id=${id.replace(/^./, (first) => (first === "A" ? "B" : "A"))}.${mac}` },
    { title: "with another MAC", text: `serin-id=${id}.${mac.replace(/^./, (first) => (first === "A" ? "B" : "A"))}` },
    { title: "without its MAC", text: `serin-id=${id}` },
    { title: "with more at its end", text: `serin-id=${value}x` },
    { title: "that is empty", text: "serin-id=" },
  ])("$title is none", ({ text }) => {
    expect(cookies.read("serin-id", [text])).toBe("invalid");
  });

  test("is none where none is", () => {
    expect(cookies.read("serin-id", ["a=b", ""])).toBe("none");
    expect(cookies.read("serin-id", [])).toBe("none");
  });
});

describe("the file of keys", () => {
  const fileOf = (text: string): string => {
    const file = join(mkdtempSync(join(tmpdir(), "serin-key-")), "keys");
    writeFileSync(file, text);
    return file;
  };

  test("holds keys in hex or base64, of which the first signs and all verify", async () => {
    const both = await readIssuedCookies(fileOf(`\n${OTHER.toString("hex")}\r\n${KEY.toString("base64")}\n\n`));
    expect(both.read("serin-id", [`serin-id=${issue().value}`])).toMatchObject({ id: expect.any(String) });
    const signed = issue("serin-id", both);
    expect(createIssuedCookies([OTHER]).read("serin-id", [`serin-id=${signed.value}`])).toEqual({ id: signed.id });
    expect(cookies.read("serin-id", [`serin-id=${signed.value}`])).toBe("invalid");
  });

  test.each([
    { title: "a short key", text: `${KEY.toString("hex")}\n${"ab".repeat(31)}\n`, line: 2 },
    { title: "a key in no such form", text: "not a key, and long enough to be one, but with spaces in it\n", line: 1 },
  ])("with $title is refused by its line, and the key is not shown", async ({ text, line }) => {
    const file = fileOf(text);
    await expect(readIssuedCookies(file)).rejects.toThrow(
      `${file}:${line}: not a key of at least 32 bytes in hex or base64; make one with \`openssl rand -hex 32\``,
    );
  });

  test("that is empty or absent is refused", async () => {
    const file = fileOf("\n \n");
    await expect(readIssuedCookies(file)).rejects.toThrow(`${file} is empty; write one secret a line into it`);
    await expect(readIssuedCookies(`${file}x`)).rejects.toThrow(`${file}x cannot be read; write one secret a line into it`);
  });
});
