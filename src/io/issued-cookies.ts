import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { UsageError } from "../contract/errors.ts";
import { durationMs } from "../contract/quantities.ts";
import type { IssuedCookie } from "../contract/rollout.ts";
import { readSecretLines } from "./secret-lines.ts";

/** A new id and the header that hands it to the browser. */
export interface NewCookie {
  readonly id: string;
  /** Value of `set-cookie`. */
  readonly setCookie: string;
}

/** Cookies that Serin issues itself: `ID.MAC`, so that nobody can make one up that suits him. */
export interface IssuedCookies {
  /** The id that the cookie of this name carries; `invalid` where one is there that is not ours. */
  read(name: string, cookieHeaders: readonly string[]): { readonly id: string } | "none" | "invalid";
  issue(cookie: IssuedCookie): NewCookie;
}

const MIN_KEY_BYTES = 32;
/** 128 bits each: ids do not meet, and a MAC is not guessed. */
const ID_BYTES = 16;
const MAC_BYTES = 16;
const VALUE = /^(?<id>[\w-]{22})\.(?<mac>[\w-]{22})$/;
/** Somebody else on the same domain may set cookies of our name beside ours; more than these are not looked at. */
const MOST_COOKIES = 8;

/** The first key signs, all verify, so that keys can be changed one after the other. */
export function createIssuedCookies(keys: readonly Buffer[]): IssuedCookies {
  const macOf = (key: Buffer, name: string, id: string): Buffer =>
    // The lengths are known, so that no name and id can be read as another pair.
    createHmac("sha256", key).update(`serin cookie 1:${name.length}:${name}:${id}`).digest().subarray(0, MAC_BYTES);
  const isOurs = (name: string, id: string, mac: Buffer): boolean =>
    keys.filter((key) => timingSafeEqual(macOf(key, name, id), mac)).length > 0;
  const idIn = (name: string, value: string): string | undefined => {
    const groups = VALUE.exec(value)?.groups;
    const [id = "", mac = ""] = [groups?.["id"], groups?.["mac"]];
    return groups !== undefined && isOurs(name, id, Buffer.from(mac, "base64url")) ? id : undefined;
  };
  return {
    read(name, cookieHeaders) {
      const values = valuesOf(name, cookieHeaders);
      for (const value of values.slice(0, MOST_COOKIES)) {
        const id = idIn(name, value);
        if (id !== undefined) return { id };
      }
      return values.length === 0 ? "none" : "invalid";
    },
    issue({ cookie: name, maxAge }) {
      const id = randomBytes(ID_BYTES).toString("base64url");
      const [first = Buffer.alloc(0)] = keys;
      const value = `${id}.${macOf(first, name, id).toString("base64url")}`;
      const maxAgeS = Math.floor(Number(durationMs(maxAge)) / 1_000);
      return { id, setCookie: `${name}=${value}; Max-Age=${maxAgeS}; Path=/; Secure; HttpOnly; SameSite=Lax` };
    },
  };
}

function valuesOf(name: string, cookieHeaders: readonly string[]): string[] {
  const start = `${name}=`;
  const cookies = cookieHeaders.flatMap((header) => header.split(";")).map((cookie) => cookie.trim());
  return cookies.filter((cookie) => cookie.startsWith(start)).map((cookie) => cookie.slice(start.length));
}

/** Reads the keys of `--cookie-key`. Throws UsageError where a line is no key. */
export async function readIssuedCookies(file: string): Promise<IssuedCookies> {
  return createIssuedCookies((await readSecretLines(file)).map(({ text, at }) => keyOf(text, at)));
}

function keyOf(text: string, at: string): Buffer {
  const isHex = /^(?:[0-9a-f]{2})+$/i.test(text);
  const isBase64 = /^[\w+/-]+={0,2}$/.test(text);
  const key = Buffer.from(text, isHex ? "hex" : "base64");
  if ((isHex || isBase64) && key.length >= MIN_KEY_BYTES) return key;
  throw new UsageError(`${at}: not a key of at least ${MIN_KEY_BYTES} bytes in hex or base64; make one with \`openssl rand -hex 32\``);
}
