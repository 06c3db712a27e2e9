import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Cluster, KubeConfig, type User } from "@kubernetes/client-node";
import * as z from "zod";
import { UsageError } from "../../contract/errors.ts";
import { readYaml } from "../../io/yaml-source.ts";
import { type CredentialSource, ProgramSchema, programSource, tokenFileSource, tokenIn } from "./credential.ts";

/** One place, and who logs in there. */
export interface Login {
  readonly cluster: Cluster;
  readonly user: User;
  /** Where the user's own fields do not log in. */
  readonly source?: CredentialSource | undefined;
  readonly namespace?: string | undefined;
}

/** What kubectl understands of a user, and the library does not, or otherwise. */
const UserSchema = z.looseObject({ tokenFile: z.string().optional() });
const UsersSchema = z.object({ users: z.array(z.object({ name: z.string(), user: UserSchema.nullish() })).nullish() });

type RawUser = z.output<typeof UserSchema>;

/** Rights that would silently be others. */
const UNKNOWN = ["as-groups", "as-uid", "as-user-extra"] as const;
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/**
 * Where the wanted context leads, else the current one, and who logs in there. As kubectl reads several files: all that they hold, and
 * the first current context. Throws UsageError where that leads nowhere, with nothing in it that a file holds besides names.
 */
export function readKubeconfigs(files: readonly string[], wanted: string | undefined): Login {
  const config = new KubeConfig();
  const users = new Map<string, RawUser>();
  for (const file of files) {
    const { read, raw } = readOne(file);
    try {
      config.mergeConfig(read, Boolean(config.getCurrentContext()));
    } catch (error) {
      throw unreadable(file, error instanceof Error ? error.message : String(error));
    }
    for (const { name, user } of raw)
      users.set(name, { ...user, ...(user?.tokenFile && { tokenFile: resolve(dirname(file), user.tokenFile) }) });
  }
  if (wanted !== undefined) config.setCurrentContext(wanted);
  return loginIn(config, users, { where: files.join(", "), wanted });
}

const unreadable = (file: string, problem: string, fix = "give a file that kubectl can read"): UsageError =>
  new UsageError(`--kubernetes: ${file}: ${problem}; ${fix}`);

function readOne(file: string): { read: KubeConfig; raw: readonly { name: string; user?: RawUser | null | undefined }[] } {
  const [document, ...more] = readYaml(textOf(file));
  const [fault] = document?.faults ?? [];
  // Not what is wrong there: that quotes the file, which may hold a secret at this place.
  if (fault !== undefined) throw unreadable(`${file}:${fault.line}:${fault.column}`, "cannot be read as YAML from here on");
  if (document === undefined || more.length > 0) throw unreadable(file, "holds no kubeconfig");
  const read = new KubeConfig();
  try {
    read.loadFromString(JSON.stringify(document.value));
  } catch (error) {
    const isPlain = error instanceof Error && error.constructor === Error;
    throw unreadable(file, isPlain ? error.message : "holds no kubeconfig");
  }
  read.makePathsAbsolute(dirname(file));
  return { read, raw: UsersSchema.safeParse(document.value).data?.users ?? [] };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const looksLikeAddress = /^[\w.-]+:\d+\/?$/.test(file);
    const fix = looksLikeAddress ? `if it is an address, write http://${file}` : undefined;
    throw unreadable(file, error instanceof Error ? error.message : String(error), fix);
  }
}

function loginIn(
  config: KubeConfig,
  users: ReadonlyMap<string, RawUser>,
  { where, wanted }: Readonly<{ where: string; wanted: string | undefined }>,
): Login {
  const name: string | undefined = config.getCurrentContext() || undefined;
  const names = config.getContexts().map((context) => context.name);
  if (name === undefined) throw new UsageError(`--kubernetes: ${where}: no context is current; choose one by --kubernetes-context`);
  if (!names.includes(name)) {
    const flag = wanted === undefined ? "--kubernetes" : "--kubernetes-context";
    throw new UsageError(`${flag}: ${where}: there is no context "${name}"; choose one of these: ${names.join(", ") || "none"}`);
  }
  const context = config.getContextObject(name);
  const userName: string | undefined = context?.user;
  const cluster = config.getCurrentCluster();
  // As with kubectl a context need not name any.
  const user = userName === undefined ? { name: "nobody" } : config.getCurrentUser();
  const wrong = `--kubernetes: ${where}: context "${name}" names`;
  if (cluster === null)
    throw new UsageError(`${wrong} the cluster "${context?.cluster}", which is not there; add it, or choose another context`);
  if (user === null) throw new UsageError(`${wrong} the user "${userName}", who is not there; add them, or choose another context`);
  const raw = (userName === undefined ? undefined : users.get(userName)) ?? {};
  for (const file of [cluster.caFile, user.certFile, user.keyFile, raw.tokenFile])
    if (file && !existsSync(file))
      throw new UsageError(`${wrong} the file ${file}, which is not there; bring it, or choose another context`);
  checkClear(cluster, { ...user, ...raw }, wrong);
  const unknown = UNKNOWN.find((field) => raw[field] !== undefined);
  if (unknown !== undefined)
    throw new UsageError(
      `${wrong} the user "${userName}", whose "${unknown}" Serin does not know; log in as somebody with their own rights`,
    );
  return { cluster, ...loggedIn(user, raw, `${wrong} the user "${userName}"`), namespace: context?.namespace };
}

/** Nobody's credentials travel without TLS. */
function checkClear({ name, server }: Cluster, user: User & RawUser, wrong: string): void {
  if (!server.startsWith("http:")) return;
  if (!URL.canParse(server) || LOOPBACK.test(new URL(server).hostname)) return;
  const { exec, authProvider, token, tokenFile, username, certData, certFile } = user;
  if (![exec, authProvider, token, tokenFile, username, certData, certFile].some(Boolean)) return;
  throw new UsageError(`${wrong} the cluster "${name}", which would get credentials in clear; write its server with https://`);
}

/** The same precedence as kubectl's: a file before a token, and both before a program. */
function loggedIn(user: User, { tokenFile }: RawUser, who: string): Pick<Login, "user" | "source"> {
  const { exec, token, ...rest } = user;
  if (tokenFile) return { user: rest, source: tokenFileSource(tokenFile) };
  if (token) {
    try {
      return { user: { ...rest, token: tokenIn(String(token)) } };
    } catch {
      throw new UsageError(`${who}, whose token holds what no header may; write it anew`);
    }
  }
  if (!exec) return { user: rest };
  const program = ProgramSchema.safeParse(exec);
  if (!program.success)
    throw new UsageError(`${who}, whose "exec" names no program; give it a command, args and env as kubectl reads them`);
  return { user: rest, source: programSource(program.data) };
}
