import { createHmac, timingSafeEqual } from "node:crypto";
import { tokenId } from "./tokens.ts";

/** Headers of a command that somebody vouches for: which token, when, and an HMAC by the token's digest over time and command. */
const VOUCH_HEADERS = { token: "Serin-Token", at: "Serin-At", proof: "Serin-Proof" } as const;

/** Clocks of operators and controllers may differ by so much; a command that was overheard is of no use later. */
const FRESH_MS = 300_000;

const proofOf = (digest: Buffer, at: string, payload: string | Uint8Array): string =>
  createHmac("sha256", digest).update(`${at}.`).update(payload).digest("hex");

/** The headers by which the bearer of a token vouches for a command. */
export function vouchFor(payload: string, digest: Buffer, nowMs: number): readonly (readonly [name: string, value: string])[] {
  const at = String(nowMs);
  return [
    [VOUCH_HEADERS.token, tokenId(digest)],
    [VOUCH_HEADERS.at, at],
    [VOUCH_HEADERS.proof, proofOf(digest, at, payload)],
  ];
}

/** What a command's headers claim; undefined where nobody vouches. */
export interface Vouch {
  readonly id: string;
  readonly at: string;
  readonly proof: string;
}

/** Reads the headers of a message. */
export function vouchIn(header: (name: string) => string | undefined): Vouch | undefined {
  const [id, at, proof] = [header(VOUCH_HEADERS.token), header(VOUCH_HEADERS.at), header(VOUCH_HEADERS.proof)];
  return id === undefined || at === undefined || proof === undefined ? undefined : { id, at, proof };
}

/** Why a vouch does not hold; undefined where it does. */
export function vouchFault({ at, proof }: Vouch, payload: Uint8Array, digest: Buffer, nowMs: number): string | undefined {
  const expected = Buffer.from(proofOf(digest, at, payload));
  const given = Buffer.from(proof);
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    return "the token's proof does not fit the command; send it again";
  if (!(Math.abs(nowMs - Number(at)) <= FRESH_MS))
    return "the command is too old or too new to be vouched for; set the clock, then send it again";
  return undefined;
}
