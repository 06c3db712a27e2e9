import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { digestOf, tokenLine } from "../../../src/io/tokens.ts";
import type { World } from "./world.ts";

/** A plan that nothing passes while a test lasts. */
export const longStage: RolloutInput["strategy"] = { type: "canary", stages: [{ share: "20%", minTime: "1h", minSample: 50 }] };
const TOKENS = { viewer: "view", ci: "operate", boss: "approve" } as const;
/** The token of a name. */
export const tokenOf = (name: keyof typeof TOKENS): string => `serin_${name}`;

/** A file with a token for each role. */
export async function tokensFile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "serin-api-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const lines = Object.entries(TOKENS).map(([name, role]) => tokenLine({ name, role, digest: digestOf(`serin_${name}`) }));
  const file = join(directory, "tokens");
  await writeFile(file, `# who may\n${lines.join("\n")}\n`);
  return file;
}

/** The HTTP API of a test. */
export interface Api {
  readonly file: string;
  /** Asks a standby, by default as `ci`. */
  ask(
    path: string,
    init?: RequestInit & { as?: keyof typeof TOKENS | null },
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }>;
}

/** A leader, and a standby that is asked. */
export async function apiOf(world: World): Promise<Api> {
  const file = await tokensFile();
  await world.leader("a", { tokens: file });
  const standby = await world.controller("b", { options: { tokens: file, http: "127.0.0.1:0" } });
  const ask: Api["ask"] = async (path, { as = "ci", ...init } = {}) => {
    const headers = { ...(as === null ? {} : { authorization: `Bearer ${tokenOf(as)}` }), ...(init.headers as Record<string, string>) };
    const response = await fetch(`${standby.httpUrl}${path}`, { ...init, headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown>, headers: response.headers };
  };
  return { file, ask };
}

/** A document to apply. */
export const yaml = (document: object): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/yaml" },
  body: JSON.stringify(document),
});
/** A command. */
export const command = (body?: object, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { ...(body && { "content-type": "application/json" }), ...headers },
  ...(body && { body: JSON.stringify(body) }),
});
