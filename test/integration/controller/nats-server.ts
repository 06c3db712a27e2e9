import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { waitFor } from "./wait.ts";

/** A real nats-server with JetStream on a loopback port that it chose itself, with a store of its own. */
export interface NatsServer {
  readonly port: number;
  readonly url: string;
  /** Kills the server without warning; the store stays. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the same store. */
  restart(): Promise<void>;
  /** Stops it and removes the store. */
  close(): Promise<void>;
}

export async function startNatsServer(): Promise<NatsServer> {
  const directory = await mkdtemp(join(tmpdir(), "serin-nats-"));
  let child = launch(directory, -1);
  const port = await portOf(directory, child);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    kill,
    async restart() {
      await kill();
      child = launch(directory, port);
    },
    async close() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function launch(directory: string, port: number): ChildProcess {
  const binary = process.env["NATS_SERVER_BIN"] ?? "nats-server";
  const args = ["-js", "-sd", directory, "-a", "127.0.0.1", "-p", String(port), "--ports_file_dir", directory];
  return spawn(binary, args, { stdio: "ignore" });
}

/** The server writes `nats-server_PID.ports` once it listens. */
async function portOf(directory: string, child: ChildProcess): Promise<number> {
  const failed = once(child, "error").then(([error]) => {
    throw new Error("nats-server cannot be started; set NATS_SERVER_BIN", { cause: error });
  });
  const found = waitFor("nats-server's port", async () => {
    const file = (await readdir(directory)).find((name) => name.endsWith(".ports"));
    if (file === undefined) return undefined;
    const text = await readFile(join(directory, file), "utf8");
    const port = /:(\d+)"/.exec(text)?.[1];
    return port === undefined ? undefined : Number(port);
  });
  return Promise.race([found, failed]);
}
