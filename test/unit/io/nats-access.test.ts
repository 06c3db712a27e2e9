import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { inboxPrefix } from "../../../src/contract/names.ts";
import { natsAccess, needsTls, readLogin } from "../../../src/io/nats-access.ts";

const directory = mkdtempSync(join(tmpdir(), "serin-access-"));
afterAll(() => rmSync(directory, { recursive: true }));

function fileOf(text: string): string {
  const path = join(directory, "login");
  writeFileSync(path, text);
  return path;
}

const claims = (value: unknown): string => `e30.${Buffer.from(JSON.stringify(value)).toString("base64url")}.c2ln`;
const SEED = `SU${"A".repeat(56)}`;
const credsOf = (jwt: string, seed = SEED): string =>
  `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;

describe("a file of credentials", () => {
  test("holds a user and a password, which may have colons", () => {
    expect(readLogin(fileOf("\nann:a:b \n"))).toEqual({ type: "password", user: "ann", password: "a:b" });
  });

  test("or a JWT and its seed; the user is called as the JWT says", () => {
    const text = credsOf(claims({ name: "edge-1" }));
    expect(readLogin(fileOf(text))).toEqual({ type: "jwt", user: "edge-1", creds: Buffer.from(text) });
  });

  test.each([
    { title: "nothing", text: "\n" },
    { title: "no user", text: ":secret" },
    { title: "no password", text: "ann:" },
    { title: "no colon", text: "secret" },
    { title: "two lines", text: "ann:secret\nbob:secret" },
    { title: "a JWT without a seed", text: credsOf(claims({ name: "a" }), "secret") },
    { title: "a JWT that is none", text: credsOf("secret") },
    { title: "a JWT whose claims are no JSON", text: credsOf("e30.c2VjcmV0.c2ln") },
  ])("with $title is refused without a secret in the message", ({ text }) => {
    const file = fileOf(text);
    expect(() => readLogin(file)).toThrow(
      `--nats-creds ${file}: holds no credentials for NATS; it is one line user:password, or a .creds file with a JWT and its seed`,
    );
  });

  test("that is not there is refused", () => {
    expect(() => readLogin("/nowhere")).toThrow(/^--nats-creds \/nowhere cannot be read; it is a file of one line user:password, or/);
  });
});

describe("where NATS is", () => {
  test.each([
    { title: "an address with a password", flags: { nats: "nats://ann:secret@n:4222" }, says: /^--nats: an address holds no user/ },
    {
      title: "TLS to an address without a name",
      flags: { nats: "tls://n:4222,tls://10.0.0.1:4222" },
      says: /^--nats tls:\/\/10\.0\.0\.1:4222: a certificate is checked against a name;/,
    },
    { title: "TLS to an address of IPv6", flags: { nats: "tls://[::1]:4222" }, says: /^--nats tls:\/\/\[::1\]:4222: a certificate/ },
    {
      title: "an authority that is not there",
      flags: { nats: "tls://n", natsCa: "/nowhere" },
      says: /^--nats-ca \/nowhere cannot be read/,
    },
    {
      title: "an authority that is none",
      flags: { nats: "tls://n", natsCa: import.meta.filename },
      says: /^--nats-ca .*: holds no certificate; give the authority's, in PEM$/,
    },
    {
      title: "credentials that are not there",
      flags: { nats: "n", natsCreds: "/nowhere" },
      says: /^--nats-creds \/nowhere cannot be read/,
    },
  ])("may not be $title", ({ flags, says }) => {
    expect(() => natsAccess(flags)).toThrow(expect.objectContaining({ name: "UsageError", message: expect.stringMatching(says) }));
  });

  test.each([
    { url: "nats://n:4222", ca: undefined, isNeeded: false },
    { url: "nats://n:4222,tls://m:4222", ca: undefined, isNeeded: true },
    { url: "nats://n:4222", ca: "ca.pem", isNeeded: true },
  ])("$url with authority $ca insists on TLS: $isNeeded", ({ url, ca, isNeeded }) => {
    expect(needsTls({ url, ca })).toBe(isNeeded);
  });
});

test.each([
  [undefined, "_INBOX_serin"],
  ["edge-1", "_INBOX_serin.edge-1"],
  ["a.b *>ü", "_INBOX_serin.a_b____"],
])("the inboxes of user %s are %s", (user, prefix) => {
  expect(inboxPrefix(user)).toBe(prefix);
});

test.each([
  { nats: "nats://a:4222, tls://b:4222", url: "nats://a:4222,tls://b:4222", tls: true },
  { nats: " TLS://b:4222", url: "tls://b:4222", tls: true },
  { nats: "b:4222", url: "b:4222", tls: false },
])("blanks and capitals in $nats change nothing", ({ nats, url, tls }) => {
  const access = natsAccess({ nats });
  expect([access.url, needsTls(access)]).toEqual([url, tls]);
});

test.each([
  { nats: "ws://n:4222", says: "--nats: ws:// is not spoken here; write nats://host:port or tls://host:port" },
  { nats: "nats://n:4222,", says: '--nats: there is no server in ""; write nats://host:port or tls://host:port, several by comma' },
])("$nats is refused", ({ nats, says }) => {
  expect(() => natsAccess({ nats })).toThrow(says);
});
