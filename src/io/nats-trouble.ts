import { errors } from "@nats-io/transport-node";
import { UsageError } from "../contract/errors.ts";
import type { NatsAccess } from "./nats-access.ts";

/** What an operator must put right, and how; undefined where the server is just not there. Never shows a secret. */
export function troubleOf(error: unknown, { url, creds }: NatsAccess): string | undefined {
  for (const found of causesOf(error)) {
    if (found instanceof UsageError) return found.message;
    if (found instanceof errors.PermissionViolationError)
      return `NATS does not allow this user ${DOES[found.operation]} ${found.subject}; use credentials that allow it, or give its user the permissions of its role (docs/hosts.md)`;
    if (found instanceof errors.AuthorizationError || found instanceof errors.UserAuthenticationExpiredError) {
      return creds === undefined
        ? `NATS at ${url} wants to know who this is; name a file of credentials by --nats-creds or SERIN_NATS_CREDS`
        : `NATS at ${url} refuses the credentials in ${creds} (${found.message}); write right ones there, each attempt reads them again`;
    }
    if (isOfTls(found))
      return `NATS at ${url} has no TLS that can be trusted (${found.message}); it needs a certificate for the name in the URL, by an authority that Node knows or --nats-ca names`;
    if (found instanceof errors.ProtocolError) return `NATS at ${url} says: ${found.message}`;
    // Files that were there at the start.
    if (/^(ENOENT|EACCES)$/.test(codeOf(found))) return found.message;
  }
  return undefined;
}

const codeOf = ({ code }: Error & { code?: unknown }): string => String(code);

const DOES = { publish: "to publish to", subscription: "to subscribe to" } as const;

/** Node's codes for certificates, and the client's own words where a server has no TLS. */
const isOfTls = (error: Error): boolean => /CERT|SIGNATURE|^ERR_(TLS|SSL)/.test(codeOf(error)) || error.message.includes("'tls'");

/** An error, its cause and so on. */
function causesOf(error: unknown): Error[] {
  const found: Error[] = [];
  for (let next = error; next instanceof Error && !found.includes(next); next = next.cause) found.push(next);
  return found;
}

/** Tells of troubles once each, until all is well again. */
export interface Troubles {
  tell(error: unknown): void;
  over(): void;
}

/** Logins in vain come every second. */
export function createTroubles(access: NatsAccess, say: ((problem: string) => void) | undefined): Troubles {
  const told = new Set<string>();
  return {
    tell(error) {
      const problem = troubleOf(error, access);
      if (problem === undefined || told.has(problem)) return;
      told.add(problem);
      say?.(problem);
    },
    over: () => told.clear(),
  };
}
