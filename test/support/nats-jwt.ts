import { nkeys } from "@nats-io/transport-node";
import type { NatsPermissions } from "../../src/contract/nats-permissions.ts";

/** A NATS in operator mode that knows one account, and what a user of it shows. */
export interface OperatorMode {
  /** For a `nats-server.conf`. */
  readonly config: string;
  /** A file of credentials, as `nsc generate creds` writes it. */
  creds(name: string, permissions: Pick<NatsPermissions, "publish" | "subscribe">): string;
}

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** Makes its keys and JWTs (https://docs.nats.io/running-a-nats-service/configuration/securing_nats/jwt). */
export function operatorMode(): OperatorMode {
  const [operator, account, system] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount()];
  const unlimited = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const operatorJwt = jwt("operator", operator, operator, { type: "operator" });
  // JetStream does not start without a system account.
  const accounts = Object.entries({ SERIN: account, SYS: system }).map(
    ([name, keys]) =>
      `${keys.getPublicKey()}: ${jwt(name, keys, operator, { type: "account", limits: unlimited, default_permissions: { pub: {}, sub: {} } })}`,
  );
  return {
    config: `operator: ${operatorJwt}\nsystem_account: ${system.getPublicKey()}\nresolver: MEMORY\nresolver_preload: { ${accounts.join(", ")} }\n`,
    creds(name, { publish, subscribe }) {
      const user = nkeys.createUser();
      const rights = { pub: { allow: publish }, sub: { allow: subscribe }, subs: -1, data: -1, payload: -1 };
      const text = jwt(name, user, account, { type: "user", ...rights });
      const seed = Buffer.from(user.getSeed()).toString();
      return `-----BEGIN NATS USER JWT-----\n${text}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
    },
  };
}

function jwt(name: string, subject: KeyPair, issuer: KeyPair, nats: object): string {
  const claims = {
    jti: name,
    iat: Math.floor(Date.now() / 1_000),
    iss: issuer.getPublicKey(),
    name,
    sub: subject.getPublicKey(),
    nats: { ...nats, version: 2 },
  };
  const text = [{ typ: "JWT", alg: "ed25519-nkey" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${text}.${Buffer.from(issuer.sign(Buffer.from(text))).toString("base64url")}`;
}
