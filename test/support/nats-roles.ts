import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NatsRole } from "../../src/contract/nats-permissions.ts";
import { runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { commandsOf } from "./doc-blocks.ts";
import { type NatsServer, startNatsServer } from "./nats-server.ts";

/** The folder of a host of NATS as docs/hosts.md says: the configuration that is shipped, with secrets as the page makes them. */
export interface NatsFolder {
  readonly directory: string;
  /** Path of what is in it. */
  at(file: string): string;
  /** File of credentials. */
  creds(role: NatsRole): string;
  /** Lines of the servers' log about what they refused. */
  violations(): Promise<string[]>;
  /** Writes another text of a file. */
  change(file: string, change: (text: string) => string): Promise<void>;
  remove(): Promise<void>;
}

const LOG = "nats.log";

/** Makes passwords, for the server and for the programs, in the folder in which it runs. */
export const secretsScript = (): string[] => commandsOf("docs/hosts.md", "secrets");

/** Makes the password with which servers of a cluster let each other in. */
export const routesScript = (): string[] => commandsOf("docs/hosts.md", "routes");

/** Makes one, with what these commands make in it. */
export async function natsFolder(...scripts: readonly string[][]): Promise<NatsFolder> {
  const directory = await mkdtemp(join(tmpdir(), "serin-roles-"));
  const at = (file: string): string => join(directory, file);
  const change = async (file: string, changed: (text: string) => string): Promise<void> =>
    writeFile(at(file), changed(await readFile(at(file), "utf8")));
  await cp(join(packageRoot(), "deploy", "nats"), directory, { recursive: true });
  // The server of a test says by a flag where its store is, and takes no second word of it.
  await change("nats-server.conf", (text) => text.replace(/^ *store_dir:.*\n/m, ""));
  for (const script of scripts) {
    const made = await runCommand("sh", ["-ec", ['cd "$0"', ...script].join("\n"), directory], 30_000);
    if (made.code !== 0) throw new Error(`these commands of docs/hosts.md failed: ${script.join("\n")}\n${made.stderr}`);
  }
  return {
    directory,
    at,
    change,
    creds: (role) => at(`${role}.creds`),
    violations: async () => (await readFile(at(LOG), "utf8")).split("\n").filter((line) => line.includes("Violation")),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Arguments of a server that is started with a file of the folder. */
export const argsOf = ({ at }: NatsFolder, config: string): string[] => ["--config", at(config), "--log", at(LOG)];

/** A server with a user for each role. */
export interface NatsWithRoles extends NatsServer, Pick<NatsFolder, "directory" | "creds" | "violations"> {}

/** Starts it; `stop` removes what it made. */
export async function startNatsWithRoles(): Promise<NatsWithRoles> {
  const { remove, ...folder } = await natsFolder(secretsScript());
  const server = await startNatsServer({ args: argsOf({ ...folder, remove }, "nats-server.conf") });
  return {
    ...server,
    ...folder,
    async stop() {
      await server.stop();
      await remove();
    },
  };
}
