import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningProcess, startProcess } from "../../src/demo/processes.ts";
import { type CommandResult, runCommand } from "../../src/demo/run-command.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { debianRoot } from "./debian-root.ts";

/** `npm install`, and stopping what drains, on a machine that has other work. */
const COMMAND_MS = 120_000;

const BOOT = join(packageRoot(), "test", "support", "systemd-boot.sh");

/** A host whose first process is systemd, in namespaces of its own: its loopback is nobody else's. */
export interface SystemdHost {
  /** Its files, as seen from here. */
  readonly root: string;
  /** Runs a script by bash as root, in a folder of the host (`/srv`); answers with what it printed. Throws with all it said where it fails. */
  run(script: string, folder?: string): Promise<string>;
  /** The same, with how it ended. */
  tried(script: string, folder?: string): Promise<CommandResult>;
  /** Ends whatever runs in it, and removes it. */
  stop(): Promise<void>;
}

/** Boots a small Debian, once `prepare` has put files into it. Needs root and a cgroup2; throws with what systemd said where it cannot be. */
export async function startSystemdHost(prepare: (root: string) => Promise<void>): Promise<SystemdHost> {
  const folder = mkdtempSync(join(tmpdir(), "serin-host-"));
  const root = join(folder, "root");
  const group = mkdtempSync(join(cgroup2(), "serin-host-"));
  let booted: RunningProcess | undefined;
  const stop = async (): Promise<void> => {
    await booted?.kill();
    // A group is empty a little after its last process is gone.
    await waitFor(() => removeGroup(group), { deadlineMs: 20_000, what: `${group} to be empty` });
    rmSync(folder, { recursive: true });
  };
  try {
    const copied = await runCommand("cp", ["--archive", await debianRoot(), root], COMMAND_MS);
    if (copied.code !== 0) throw new Error(copied.stderr);
    await prepare(root);
    booted = await startProcess({ name: "host", program: BOOT, args: [root, group] });
    const { pid } = booted;
    const tried = (script: string, at = "/srv"): Promise<CommandResult> => runCommand("setsid", inside(pid, at, script), COMMAND_MS);
    const run = async (script: string, at?: string): Promise<string> => {
      const { code, stdout, stderr } = await tried(script, at);
      if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stdout}${stderr}`);
      return stdout.trim();
    };
    // Before that its namespaces are still this machine's.
    await waitFor(() => existsSync(join(root, "etc", "inside")), { deadlineMs: 20_000, what: "the host to be in namespaces of its own" });
    const isUp = async (): Promise<true> => {
      const { code, stdout, stderr } = await tried("systemctl is-system-running || systemctl --failed --plain --no-legend");
      if (code === 0 && stdout === "running\n") return true;
      throw new Error(`${stdout}${stderr}`);
    };
    await waitFor(isUp, { deadlineMs: 60_000, what: "systemd to say that the host runs" });
    return { root, run, tried, stop };
  } catch (error) {
    await stop();
    throw new Error(`no systemd boots here: ${String(error)}\n${booted?.output() ?? ""}`, { cause: error });
  }
}

/** Where the kernel's second version of groups of processes is. */
function cgroup2(): string {
  const [, at] = /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/mounts", "utf8")) ?? [];
  if (at === undefined) throw new Error("there is no cgroup2: mount one, like `mount -t cgroup2 cgroup2 /sys/fs/cgroup`");
  return at;
}

function removeGroup(path: string): true {
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeGroup(join(path, entry.name));
  rmdirSync(path);
  return true;
}

/** The process is in all of the host's namespaces, but in that of processes, in which only its children are. */
function inside(pid: number, folder: string, script: string): string[] {
  const spaces = ["--mount", "--uts", "--ipc", "--net", "--cgroup", `--pid=/proc/${pid}/ns/pid_for_children`];
  const variables = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME=/root"];
  const shell = ["bash", "--norc", "-ec", `cd "$0"\n${script}`, folder];
  // A group of its own: `kill 0` would be the end of the test.
  return ["--wait", "nsenter", "--target", `${pid}`, ...spaces, "env", "-i", ...variables, ...shell];
}
