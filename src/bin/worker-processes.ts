import { type ChildProcess, fork } from "node:child_process";
import process from "node:process";
import type { StartProcess } from "../sidecar/workers/supervised-worker.ts";
import type { ParentChannel } from "../sidecar/workers/worker.ts";

/** Starts workers as processes of this program; none outlives this one. */
export function workerProcesses(program: string): StartProcess {
  const running = new Set<ChildProcess>();
  process.once("exit", () => {
    for (const child of running) child.kill("SIGKILL");
  });
  return (id, { message, ended }) => {
    const child = fork(program, ["sidecar-worker", id], {
      // What a worker prints is no output of the program's.
      stdio: ["ignore", 2, 2, "ipc"],
      // Plain JSON has no infinity.
      serialization: "advanced",
    });
    running.add(child);
    child.on("message", message);
    let isSaid = false;
    const end = (how: string): void => {
      if (isSaid) return;
      isSaid = true;
      running.delete(child);
      ended(how);
    };
    // Its last message may arrive after its exit is known; with the end of the channel there is nothing more to come.
    const exited = new Promise<string>((resolve) => child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`)));
    const closed = new Promise((resolve) => child.once("disconnect", resolve));
    void Promise.all([exited, closed]).then(([how]) => end(how));
    child.once("error", (error) => {
      if (child.pid === undefined) end(error.message);
    });
    return {
      pid: child.pid,
      send: (text) => void (child.connected && child.send(text, () => undefined)),
      kill: () => void child.kill("SIGKILL"),
    };
  };
}

/** The channel to the process that started this one; undefined where there is none. */
export function parentChannel(): ParentChannel | undefined {
  if (process.send === undefined) return undefined;
  return {
    send: (message) =>
      new Promise((resolve) => {
        if (!process.connected || process.send === undefined) resolve();
        else process.send(message, undefined, undefined, () => resolve());
      }),
    onMessage: (listener) => void process.on("message", listener),
    broken: new Promise((resolve) => process.once("disconnect", resolve)),
    close() {
      if (process.connected) process.disconnect();
    },
  };
}
