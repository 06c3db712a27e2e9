import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NatsRole } from "../../src/contract/nats-permissions.ts";
import { runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { commandsOf } from "./doc-blocks.ts";
import { type NatsServer, startNatsServer } from "./nats-server.ts";

/** NATS as docs/hosts.md says: the configuration that is shipped, with secrets as the page makes them. */
export interface NatsWithRoles extends NatsServer {
  readonly directory: string;
  /** File of credentials. */
  creds(role: NatsRole): string;
  /** Lines of the server's log about what it refused. */
  violations(): Promise<string[]>;
}

/** Makes passwords, for the server and for the programs, in the folder in which it runs. */
export const secretsScript = (): string => commandsOf("docs/hosts.md", "secrets").join("\n");

/** Starts it; `stop` removes what it made. */
export async function startNatsWithRoles(): Promise<NatsWithRoles> {
  const directory = await mkdtemp(join(tmpdir(), "serin-roles-"));
  const log = join(directory, "nats.log");
  await cp(join(packageRoot(), "deploy", "nats"), directory, { recursive: true });
  const config = join(directory, "nats-server.conf");
  // The server of a test says by a flag where its store is, and takes no second word of it.
  await writeFile(config, (await readFile(config, "utf8")).replace(/^ *store_dir:.*\n/m, ""));
  const made = await runCommand("sh", ["-ec", `cd "$0"\n${secretsScript()}`, directory], 30_000);
  if (made.code !== 0) throw new Error(`secrets could not be made: ${made.stderr}`);
  const server = await startNatsServer({ args: ["--config", config, "--log", log] });
  return {
    ...server,
    directory,
    creds: (role) => join(directory, `${role}.creds`),
    violations: async () => (await readFile(log, "utf8")).split("\n").filter((line) => line.includes("Violation")),
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
