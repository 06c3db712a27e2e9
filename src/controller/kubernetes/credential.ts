import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import * as z from "zod";

/** What logs in: the token of a bearer, or a client's certificate and key in PEM, or all of them. */
interface Credential {
  readonly token: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Unix milliseconds; it is asked for anew after that. */
  readonly untilMs: number;
}

/** Where it comes from. */
export type CredentialSource = () => Promise<Credential>;

/** By this name the library hands a user's login over. */
export const OURS = "serin";
/** What says no end is asked for anew after so long, as the Go client does it with an account's token. */
const KEPT_MS = 60_000;
/** A program that logs in is killed after so long, unless a caller says otherwise. */
const PROGRAM_MS = 30_000;

/**
 * Logs in for the client library in place of its own ways: those send a token with the line's end that its file has, start one more
 * program with each question while none answers, and keep what is no credential.
 */
export class CredentialLogin {
  readonly #source: CredentialSource;
  #held: Credential | undefined;
  #coming: Promise<Credential> | undefined;

  constructor(source: CredentialSource) {
    this.#source = source;
  }

  isAuthProvider({ authProvider }: { readonly authProvider?: { readonly name?: unknown } | undefined }): boolean {
    return authProvider?.name === OURS;
  }

  async applyAuthentication(_user: object, options: RequestOptions): Promise<void> {
    const { token, certificate, key } = await this.#credential();
    if (certificate !== undefined) options.cert = certificate;
    if (key !== undefined) options.key = key;
    options.headers ??= {};
    if (token !== undefined) Object.assign(options.headers, { Authorization: `Bearer ${token}` });
  }

  async #credential(): Promise<Credential> {
    if (this.#held !== undefined && Date.now() < this.#held.untilMs) return this.#held;
    this.#coming ??= this.#source().finally(() => {
      this.#coming = undefined;
    });
    this.#held = await this.#coming;
    return this.#held;
  }
}

/** Without the white space around it. Throws where no header could hold it, and never says it. */
export function tokenIn(text: string): string {
  const token = text.trim();
  if (!/^[\x20-\x7e]+$/.test(token)) throw new Error("the token is empty, or holds what no header may");
  return token;
}

/** A token in a file, which may be replaced. */
export const tokenFileSource = (file: string) => async (): Promise<Credential> => ({
  token: tokenIn(await readFile(file, "utf8")),
  certificate: undefined,
  key: undefined,
  untilMs: Date.now() + KEPT_MS,
});

/** A program that logs in, as a kubeconfig names it (`exec`). */
export const ProgramSchema = z.object({
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
});

/** What it prints, as far as it is needed: an `ExecCredential` of client.authentication.k8s.io. */
const PrintedSchema = z.object({
  status: z.object({
    token: z.string().transform(tokenIn).optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().optional(),
  }),
});

/** Asks a program, without a question back. What it prints stands in no error: it may be a secret. */
export const programSource =
  ({ command, args, env }: z.output<typeof ProgramSchema>, timeout = PROGRAM_MS): CredentialSource =>
  async () => {
    const named = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
    const printed = await run([command, ...(args ?? [])], named, timeout);
    const { token, clientCertificateData: certificate, clientKeyData: key, expirationTimestamp } = credentialIn(printed, command);
    const endsMs = Date.parse(expirationTimestamp ?? "");
    return { token, certificate, key, untilMs: Number.isNaN(endsMs) ? Date.now() + KEPT_MS : endsMs };
  };

function run([command = "", ...args]: readonly string[], named: Readonly<Record<string, string>>, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    // oxlint-disable-next-line eslint/no-restricted-properties -- a program inherits it, as it does from kubectl
    const options = { env: { ...process.env, ...named }, timeout, killSignal: "SIGKILL" } as const;
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const said = stderr.trim() === "" ? "" : `: ${stderr.trim()}`;
      const how = error.killed === true ? `gave nothing within ${timeout / 1_000} s` : `ended with ${error.code ?? error.signal}`;
      reject(new Error(`the program ${command}, which logs in, ${how}${said}`));
    });
    // Who asks a question there hears that nobody answers. One that could not be started, or is over, hears nothing.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end();
  });
}

function credentialIn(text: string, command: string): z.output<typeof PrintedSchema>["status"] {
  try {
    const { status } = PrintedSchema.parse(JSON.parse(text));
    if (status.token !== undefined || status.clientCertificateData !== undefined) return status;
  } catch {
    // Said below, without what it printed.
  }
  throw new Error(`the program ${command}, which logs in, printed no ExecCredential with a status`);
}
