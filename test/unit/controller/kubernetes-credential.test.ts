import type { RequestOptions } from "node:https";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { CredentialLogin, type CredentialSource, programSource } from "../../../src/controller/kubernetes/credential.ts";

const credentialOf = (token: string, untilMs: number) => ({ token, certificate: undefined, key: undefined, untilMs });

async function headersOf(login: CredentialLogin): Promise<RequestOptions["headers"]> {
  const options: RequestOptions = { headers: { "Impersonate-User": "ann" } };
  await login.applyAuthentication({}, options);
  return options.headers;
}

describe("a login", () => {
  test("is asked for once, however many questions wait for it, and again when it is over", async () => {
    vi.useFakeTimers({ now: 1_000 });
    onTestFinished(() => void vi.useRealTimers());
    const source = vi.fn<CredentialSource>(() => Promise.resolve(credentialOf("t", Date.now() + 500)));
    const login = new CredentialLogin(source);
    const headers = { "Impersonate-User": "ann", Authorization: "Bearer t" };
    expect(await Promise.all([headersOf(login), headersOf(login)])).toEqual([headers, headers]);
    expect(await headersOf(login)).toEqual(headers);
    expect(source).toHaveBeenCalledTimes(1);
    vi.setSystemTime(1_500);
    await headersOf(login);
    expect(source).toHaveBeenCalledTimes(2);
  });

  test("that fails is asked for again by the next question", async () => {
    const source = vi.fn<CredentialSource>(() => Promise.resolve(credentialOf("t", Number.POSITIVE_INFINITY)));
    source.mockRejectedValueOnce(new Error("no session"));
    const login = new CredentialLogin(source);
    await expect(headersOf(login)).rejects.toThrow("no session");
    expect(await headersOf(login)).toMatchObject({ Authorization: "Bearer t" });
  });
});

describe("a program that logs in", () => {
  const printing = (status: object) => programSource({ command: "printf", args: ["%s", JSON.stringify({ status })] });

  test("may give a certificate, which is good until it says", async () => {
    const status = { clientCertificateData: "cert", clientKeyData: "key", expirationTimestamp: "2026-11-26T20:00:00Z" };
    const untilMs = Date.parse(status.expirationTimestamp);
    expect(await printing(status)()).toEqual({ token: undefined, certificate: "cert", key: "key", untilMs });
  });

  test("that is not there is named", async () => {
    const source = programSource({ command: "/nowhere/login" });
    await expect(source()).rejects.toThrow("the program /nowhere/login, which logs in, ended with ENOENT");
  });

  test("that hangs is killed", async () => {
    const killed = await programSource({ command: "sleep", args: ["600"] }, 100)().catch((error: unknown) => error);
    expect(killed).toEqual(new Error("the program sleep, which logs in, gave nothing within 0.1 s"));
  });
});
