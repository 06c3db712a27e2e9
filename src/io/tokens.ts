import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { UsageError } from "../contract/errors.ts";
import { ROLES, type Role } from "../contract/roles.ts";
import type { Clock } from "./clock.ts";
import type { Logger } from "./log.ts";

/** A token as the file of tokens holds it: never the token itself. */
export interface TokenLine {
  readonly name: string;
  readonly role: Role;
  /** sha256 of the token; a key by which a command is vouched for. */
  readonly digest: Buffer;
}

/** Who brings a token. */
export interface TokenBook {
  /** The line of a token; undefined for one that is not known. */
  find(token: string): Promise<TokenLine | undefined>;
  /** The line by its id, which is no secret. */
  byId(id: string): Promise<TokenLine | undefined>;
}

const LINE = /^(?<name>[A-Za-z0-9][A-Za-z0-9._@-]{0,99}) (?<role>[a-z]+) sha256:(?<digest>[0-9a-f]{64})$/;
/** How long the file is believed to be as it was read. */
const BELIEVED_MS = 1_000;

/** sha256 of a token. It has 256 random bits, so that nothing slower is needed to keep it from being guessed. */
export const digestOf = (token: string): Buffer => createHash("sha256").update(token).digest();

/** What a token is called in public: the first 16 hex digits of the sha256 of its digest. */
export const tokenId = (digest: Buffer): string => createHash("sha256").update(digest).digest("hex").slice(0, 16);

/** A new token. */
export const newToken = (): string => `serin_${randomBytes(32).toString("base64url")}`;

/** The line of the file of tokens. */
export const tokenLine = ({ name, role, digest }: TokenLine): string => `${name} ${role} sha256:${digest.toString("hex")}`;

/** True where such a name may stand in a line. */
export const isTokenName = (name: string): boolean => LINE.test(`${name} view sha256:${"0".repeat(64)}`);

/** Reads a file of tokens; lines that begin with # and empty ones are left out. Throws UsageError with the line that is wrong. */
async function readTokens(file: string): Promise<TokenLine[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(`${file} cannot be read; write lines into it as \`serin token\` prints them`, { cause });
  }
  const lines = text.split(/\r?\n/).map((line, index) => ({ line: line.trim(), at: `${file}:${index + 1}` }));
  return lines.filter(({ line }) => line !== "" && !line.startsWith("#")).map(({ line, at }) => parsedLine(line, at));
}

function parsedLine(line: string, at: string): TokenLine {
  const { name = "", role = "", digest = "" } = LINE.exec(line)?.groups ?? {};
  if (!isRole(role)) throw new UsageError(`${at}: not the line of a token; make one with \`serin token --role operate --name NAME\``);
  return { name, role, digest: Buffer.from(digest, "hex") };
}

const isRole = (text: string): text is Role => Object.hasOwn(ROLES, text);

/**
 * Opens a file of tokens; it is read again when it has changed, so that a token can be taken back at once. A file that has become
 * unusable is told in the log, and the last usable one counts.
 */
export async function openTokens(file: string, { clock, log }: Readonly<{ clock: Clock; log: Logger }>): Promise<TokenBook> {
  let lines = await readTokens(file);
  let seen = await stampOf(file);
  let lookedMs = clock.monotonicMs();
  const fresh = async (): Promise<readonly TokenLine[]> => {
    if (clock.monotonicMs() - lookedMs < BELIEVED_MS) return lines;
    lookedMs = clock.monotonicMs();
    try {
      const stamp = await stampOf(file);
      if (stamp === seen) return lines;
      lines = await readTokens(file);
      seen = stamp;
      log.info({ file, tokens: lines.length }, "tokens were read again");
    } catch (error) {
      log.error({ err: error }, "file of tokens unusable, the tokens before still count");
    }
    return lines;
  };
  return {
    async find(token) {
      const digest = digestOf(token);
      // All are compared, so that the time tells nothing of which one it was.
      return (await fresh()).filter((line) => timingSafeEqual(line.digest, digest))[0];
    },
    async byId(id) {
      return (await fresh()).find((line) => tokenId(line.digest) === id);
    },
  };
}

async function stampOf(file: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(file);
  return `${mtimeMs} ${size} ${ino}`;
}
