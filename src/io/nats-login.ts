import { type Auth, type Authenticator, credsAuthenticator } from "@nats-io/transport-node";
import { type NatsLogin, readLogin } from "./nats-access.ts";

/**
 * Reads the file again at each login, so that it may be rotated. What cannot be used goes to `onError`, and the last good one is shown:
 * what an authenticator throws closes the client's connection for ever.
 */
export function authenticatorOf(file: string, first: NatsLogin, onError: (error: unknown) => void): Authenticator {
  let good = first;
  return (nonce) => {
    try {
      const login = readLogin(file);
      const auth = authOf(login, nonce);
      good = login;
      return auth;
    } catch (error) {
      onError(error);
      return authOf(good, nonce);
    }
  };
}

const authOf = (login: NatsLogin, nonce: string | undefined): Auth =>
  login.type === "jwt" ? credsAuthenticator(login.creds)(nonce) : { user: login.user, pass: login.password };
