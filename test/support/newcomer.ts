import { randomInt } from "node:crypto";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { inject } from "vitest";
import { packageRoot } from "../../src/io/package-root.ts";
import { type PageShell, type Ran, startPageShell } from "./page-shell.ts";

/** Somebody who follows the pages in a checkout, with a terminal. */
export interface Newcomer extends PageShell {
  /** Of the folder in which they stand. */
  readonly folder: string;
  /** Where the pages say 127.0.0.1: others may follow them at the same time. */
  readonly address: string;
  /** Runs lines one after the other. */
  follow(lines: readonly string[]): Promise<Ran[]>;
  /** Starts what runs on, in a terminal of its own; its process. */
  begin(line: string): Promise<number>;
}

const root = packageRoot();

/** Where the demo leaves its programs, beside what a checkout has after `npm run check:deploy` and another version of Envoy before. */
function cachePrograms(folder: string): void {
  const tools = join(folder, ".cache", "tools");
  const programs = {
    "envoy-1.40.0-here/envoy": inject("envoyProgram"),
    "nats-server-2.15.1-here/nats-server": inject("natsServerProgram"),
  };
  const useless = ["envoy-1.39.0-here/envoy", "envoy-of-meshes-1.39.1"];
  for (const path of [...Object.keys(programs), ...useless]) mkdirSync(dirname(join(tools, path)), { recursive: true });
  for (const path of useless) {
    writeFileSync(join(tools, path), "#!/bin/sh\nexit 9\n");
    chmodSync(join(tools, path), 0o755);
    utimesSync(join(tools, path), 0, 0);
  }
  for (const [path, program] of Object.entries(programs)) symlinkSync(program, join(tools, path));
}

/** A folder as a checkout has it, as far as the pages go; whoever stands there has `serin`, `npx` and the variables that are named. */
export function startNewcomer(named: NodeJS.ProcessEnv = {}): Newcomer {
  const folder = mkdtempSync(join(tmpdir(), "serin-"));
  const address = `127.${randomInt(64, 128)}.${randomInt(256)}.1`;
  const here = (text: string): string => text.replaceAll("127.0.0.1", address);
  cpSync(join(root, "deploy", "compose"), join(folder, "deploy", "compose"), { recursive: true });
  for (const file of ["deploy/nats-server.conf", "envoy/envoy.yaml"]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), here(readFileSync(join(root, file), "utf8")));
  }
  const bin = join(folder, "bin");
  mkdirSync(bin);
  cachePrograms(folder);
  for (const name of ["dist", "docs"]) symlinkSync(join(root, name), join(folder, name));
  const serin = `exec "${process.execPath}" "${join(root, "dist", "bin", "serin.js")}" "$@"\n`;
  writeFileSync(join(bin, "serin"), `#!/bin/sh\n${serin}`, { mode: 0o755 });
  writeFileSync(join(bin, "npx"), `#!/bin/sh\nshift\n${serin}`, { mode: 0o755 });
  const { ENVOY_BIN: _envoy, NATS_SERVER_BIN: _nats, ...others } = process.env;
  const env = { ...others, ...named, PATH: `${bin}:${process.env["PATH"]}`, SERIN_NATS: `nats://${address}:4222` };
  const shell = startPageShell(folder, env);
  /** What has a port of its own without saying so would meet others. */
  const told = (line: string): string =>
    here(
      line
        .replace(/serin(\.js)? sidecar(?!.* --metrics )/, "$& --metrics 127.0.0.1:9464")
        .replace(/ --http (?=\d+(\s|$))/, "$&127.0.0.1:")
        .replace(/^envoy /, '"$ENVOY_BIN" '),
    );
  const run = (line: string): Promise<Ran> => shell.run(told(line));
  let begun = 0;
  return {
    folder,
    address,
    run,
    async follow(lines) {
      const ran = [];
      for (const line of lines) ran.push(await run(line));
      return ran;
    },
    async begin(line) {
      begun += 1;
      return Number((await run(`${line} > begun-${begun}.log 2>&1 & echo $!`)).out);
    },
    stop() {
      shell.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
