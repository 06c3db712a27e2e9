import { DEBUG_HEADER, EXPLAIN_HEADER } from "../contract/names.ts";
import type { IssuedCookie } from "../contract/rollout.ts";
import type { CompiledRules } from "../core/decide/compile.ts";
import { explain, explanationHeader } from "../core/decide/explain.ts";
import type { IssuedCookies, NewCookie } from "../io/issued-cookies.ts";
import type { DebugSecrets } from "./debug-secrets.ts";
import type { RequestReader } from "./wire/request.ts";
import { ASK_FOR_RESPONSE, type ResponseHeader, removeFromRequest, responseAnswer } from "./wire/response-phase.ts";

/** What the sidecar was given for more than decisions, and who hears of it. */
export interface ExtrasPorts {
  /** Undefined without a key. */
  readonly cookies: IssuedCookies | undefined;
  /** Undefined where nobody may ask why. */
  readonly secrets: DebugSecrets | undefined;
  /** A cookie of ours is made; one that came was not ours, or none came. */
  issued(instead: "none" | "invalid"): void;
  /** A rule wants a cookie of ours, and there is no key. */
  keyMissing(): void;
  debugged(isRight: boolean): void;
  /** Envoy was asked for the headers of a response. */
  responseAsked(): void;
  /** It sent them, or ended the stream without. */
  responseEnded(isSent: boolean): void;
}

/** What a request needs beside its decision. */
export interface Extra {
  /** To follow the answer to the request. */
  readonly toRequest: Buffer;
  /** Answers the headers of the response; undefined where they are not asked for. */
  readonly toResponse: Buffer | undefined;
}

/** With the names of all headers of an answer it stays below what servers take, mostly 8 KiB. */
const MOST_EXPLANATION = 6_144;

const REMOVE_DEBUG = removeFromRequest(DEBUG_HEADER);
const NONE: readonly NewCookie[] = [];

/** Cookies of ours and explanations: asked for the request that the reader read last. */
export class Extras {
  readonly #reader: RequestReader;
  readonly #ports: ExtrasPorts;
  /** Made for this request; none for nearly all. */
  #made: readonly NewCookie[] = NONE;
  readonly #ids = new Map<string, string>();

  constructor(reader: RequestReader, ports: ExtrasPorts) {
    this.#reader = reader;
    this.#ports = ports;
    reader.issued = (cookie) => this.#issued(cookie);
  }

  /** A new request was read. */
  begin(): void {
    if (this.#made === NONE) return;
    this.#made = NONE;
    this.#ids.clear();
  }

  /** What this request needs after its decision; undefined for nearly all. */
  after(rules: CompiledRules): Extra | undefined {
    const { secrets } = this.#ports;
    const given = secrets === undefined ? undefined : this.#reader.headers(DEBUG_HEADER);
    if (this.#made === NONE && (given === undefined || given.length === 0)) return undefined;
    const headers: ResponseHeader[] = this.#made.map(({ setCookie }) => ({ name: "set-cookie", value: setCookie, how: "add" }));
    const parts: Buffer[] = [];
    if (secrets !== undefined && given !== undefined && given.length > 0) {
      parts.push(REMOVE_DEBUG);
      const isRight = given.some(secrets);
      this.#ports.debugged(isRight);
      if (isRight)
        headers.push({ name: EXPLAIN_HEADER, value: explanationHeader(explain(rules, this.#reader), MOST_EXPLANATION), how: "overwrite" });
    }
    if (headers.length === 0) return { toRequest: Buffer.concat(parts), toResponse: undefined };
    return { toRequest: Buffer.concat([...parts, ASK_FOR_RESPONSE]), toResponse: responseAnswer(headers) };
  }

  #issued(cookie: IssuedCookie): string | undefined {
    const { cookies } = this.#ports;
    if (cookies === undefined) {
      this.#ports.keyMissing();
      return undefined;
    }
    const known = this.#ids.get(cookie.cookie);
    if (known !== undefined) return known;
    const found = cookies.read(cookie.cookie, this.#reader.headers("cookie"));
    if (typeof found === "object") return found.id;
    this.#ports.issued(found);
    const made = cookies.issue(cookie);
    this.#made = [...this.#made, made];
    this.#ids.set(cookie.cookie, made.id);
    return made.id;
  }
}
