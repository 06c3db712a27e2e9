import { randomInt } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { parse, stringify } from "yaml";
import { shippedEnvoyConfig } from "../../src/demo/envoy.ts";
import { addressOf, type EnvoyAddresses, withAddresses } from "../../src/demo/envoy-config.ts";
import { type RunningProcess, startProcess, whenReady } from "../../src/demo/processes.ts";
import { runCommand } from "../../src/demo/run-command.ts";
import { waitFor } from "../../src/demo/wait-for.ts";

/** Envoys of which each takes the sockets of the one before. */
export interface HotEnvoys {
  /** Where users connect, whichever serves: the system chose it for the first. */
  port(): number;
  /**
   * Runs command lines as a page has them, with the shipped configuration changed like this: the last one stays and, when this resolves,
   * serves; the others end well.
   */
  start(change: (shipped: string) => string, lines: readonly string[]): Promise<RunningProcess>;
  /** A counter or gauge of the Envoy that was started last. */
  stat(name: string): Promise<number>;
  stop(): Promise<void>;
}

/** Makes a place for them; numbers of their own keep them apart from others on the machine. */
export async function createHotEnvoys(addresses: EnvoyAddresses): Promise<HotEnvoys> {
  const directory = await mkdtemp(join(tmpdir(), "serin-hot-"));
  const base = randomInt(1, 2 ** 20);
  const own = ["--base-id", String(base), "--concurrency", "1", "--log-level", "warning"];
  const started: RunningProcess[] = [];
  const adminPath = (): string => join(directory, `admin-${started.length}`);
  let port = 0;
  const ask = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://${await readFile(adminPath(), "utf8")}${path}`);
    return response.json();
  };
  const isLive = async (): Promise<boolean> => Object(await ask("/server_info")).state === "LIVE";
  return {
    port: () => port,
    async start(change, lines) {
      const path = join(directory, `envoy-${started.length + 1}.yaml`);
      const config: unknown = parse(withAddresses(change(await readFile(shippedEnvoyConfig(), "utf8")), addresses));
      Object(config).static_resources.listeners[0].address = addressOf(`127.0.0.1:${port}`);
      await writeFile(path, stringify(config));
      const commands = lines.map((line) => line.replace("envoy/envoy.yaml", path).split(" ").slice(1));
      const last = commands.pop() ?? [];
      for (const args of commands) {
        const { code, stderr } = await runCommand(inject("envoyProgram"), args, 30_000);
        if (code !== 0) throw new Error(`envoy ${args.join(" ")}: ${stderr}`);
      }
      const admin = join(directory, `admin-${started.length + 1}`);
      const envoy = await startProcess({
        name: "envoy",
        program: inject("envoyProgram"),
        args: [...last, ...own, "--admin-address-path", admin],
      });
      started.push(envoy);
      await whenReady(envoy, waitFor(isLive, { deadlineMs: 20_000, what: "Envoy to be live" }));
      const listeners = Object(await ask("/listeners?format=json"));
      port = listeners.listener_statuses[0].local_address.socket_address.port_value;
      return envoy;
    },
    async stat(name) {
      const { stats } = Object(await ask(`/stats?format=json&filter=^${name.replaceAll(".", "\\.")}$`));
      return Number(stats[0]?.value ?? 0);
    },
    async stop() {
      await Promise.all(started.map((envoy) => envoy.stop()));
      await rm(directory, { recursive: true, force: true });
      // What they share outlives them: Envoy names it by ten times the number.
      await rm(`/dev/shm/envoy_shared_memory_${base * 10}`, { force: true });
    },
  };
}
