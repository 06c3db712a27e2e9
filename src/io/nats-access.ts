import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { UsageError } from "../contract/errors.ts";
import { filledLines } from "./secret-lines.ts";

/** Where NATS is and what it is shown, as flags and options name it. */
export interface NatsFlags {
  /** `nats://host:port` or `tls://host:port`, several by comma. */
  readonly nats: string;
  /** File of credentials. */
  readonly natsCreds?: string | undefined;
  /** File of the authority (PEM) that signed the server's certificate. */
  readonly natsCa?: string | undefined;
}

/** The same, looked at. */
export interface NatsAccess {
  readonly url: string;
  readonly creds?: string | undefined;
  readonly ca?: string | undefined;
}

/** What a file of credentials holds. */
export type NatsLogin = Readonly<{ user: string } & ({ type: "password"; password: string } | { type: "jwt"; creds: Uint8Array })>;

/** Whether a server without TLS is refused. */
export const needsTls = ({ url, ca }: Omit<NatsAccess, "creds">): boolean =>
  ca !== undefined || url.split(",").some((server) => server.startsWith("tls://"));

/** Looks at all that can be known without a server. Throws UsageError, which never shows a secret. */
export function natsAccess({ nats, natsCreds: creds, natsCa: ca }: NatsFlags): NatsAccess {
  const url = nats.split(",").map(serverOf).join(",");
  if (url.includes("@"))
    throw new UsageError("--nats: an address holds no user and no password, for logs show it; write them into a file for --nats-creds");
  const access = { url, creds, ca };
  for (const server of needsTls(access) ? url.split(",") : []) {
    if (isAddress(server))
      throw new UsageError(`--nats ${server}: a certificate is checked against a name; write the server's name in place of its address`);
  }
  if (creds !== undefined) readLogin(creds);
  if (ca !== undefined && !readText(ca, "--nats-ca", "certificates in PEM").includes("-----BEGIN CERTIFICATE-----"))
    throw new UsageError(`--nats-ca ${ca}: holds no certificate; give the authority's, in PEM`);
  return access;
}

/** One server, as the client is told it: without blanks, its scheme in small letters. Throws UsageError. */
function serverOf(text: string): string {
  const [, scheme = "", rest = ""] = /^(?:([a-z]+):\/\/)?(.*)$/i.exec(text.trim()) ?? [];
  if (rest === "")
    throw new UsageError(`--nats: there is no server in "${text}"; write nats://host:port or tls://host:port, several by comma`);
  if (!/^(nats|tls|)$/i.test(scheme))
    throw new UsageError(`--nats: ${scheme}:// is not spoken here; write nats://host:port or tls://host:port`);
  return scheme === "" ? rest : `${scheme.toLowerCase()}://${rest}`;
}

const isAddress = (server: string): boolean =>
  isIP(
    server
      .replace(/^[a-z]+:\/\//, "")
      .replace(/:\d+$/, "")
      .replace(/^\[|\]$/g, ""),
  ) > 0;

const FORMS = "one line user:password, or a .creds file with a JWT and its seed";

/** What a file of credentials holds now. Throws UsageError, which never shows a secret. */
export function readLogin(file: string): NatsLogin {
  const text = readText(file, "--nats-creds", FORMS);
  if (text.includes("NATS USER JWT")) return jwtLogin(file, text);
  const [line, ...more] = filledLines(file, text);
  const colon = line?.text.indexOf(":") ?? -1;
  if (line === undefined || more.length > 0 || colon < 1 || colon + 1 === line.text.length) throw unusable(file);
  return { type: "password", user: line.text.slice(0, colon), password: line.text.slice(colon + 1) };
}

/** The form that `nsc generate creds` writes. */
function jwtLogin(file: string, text: string): NatsLogin {
  const payload = /-{3,}BEGIN NATS USER JWT-{3,}\s+[\w-]+\.([\w-]+)\.[\w-]+\s/.exec(text)?.[1];
  if (payload === undefined || !/-{3,}BEGIN USER NKEY SEED-{3,}\s+SU[A-Z2-7]{56}\s/.test(text)) throw unusable(file);
  return { type: "jwt", user: nameIn(file, payload), creds: Buffer.from(text) };
}

function nameIn(file: string, payload: string): string {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    return String(Object(claims).name);
  } catch (cause) {
    throw unusable(file, { cause });
  }
}

const unusable = (file: string, options?: ErrorOptions): UsageError =>
  new UsageError(`--nats-creds ${file}: holds no credentials for NATS; it is ${FORMS}`, options);

function readText(file: string, flag: string, form: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new UsageError(`${flag} ${file} cannot be read; it is a file of ${form}`, { cause });
  }
}
