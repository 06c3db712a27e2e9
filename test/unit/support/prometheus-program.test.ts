import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CommandResult, RunCommand } from "../../../src/demo/run-command.ts";
import { findPrometheus, type PrometheusPrograms } from "../../support/prometheus-program.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "serin-prometheus-find-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const fine = (stdout = ""): CommandResult => ({ code: 0, stdout, stderr: "" });
const failure = (stderr: string): CommandResult => ({ code: 100, stdout: "", stderr });

function program(...parts: string[]): string {
  const path = join(root, ...parts);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, "");
  chmodSync(path, 0o755);
  return path;
}

/** Both programs in a directory. */
function programs(...parts: string[]): PrometheusPrograms {
  return { prometheus: program(...parts, "prometheus"), promtool: program(...parts, "promtool") };
}

/** A machine on which every file called prometheus or promtool runs, and apt and dpkg do as told; `asked` takes apt's verbs. */
function machine(apt: (verb: string) => CommandResult, asked: string[] = []): RunCommand {
  return (name, args) => {
    if (name === "dpkg-deb") {
      programs(args[2]?.slice(root.length + 1) ?? "", "usr", "bin");
      return Promise.resolve(fine());
    }
    if (name !== "sh") {
      const [known] = /prometheus$|promtool$/.exec(name) ?? [];
      return Promise.resolve(known === undefined ? failure("no such file") : fine(`${known}, version 2.42.0`));
    }
    const verb = args.find((arg) => arg === "download" || arg === "update") ?? "";
    asked.push(verb);
    const result = apt(verb);
    if (result.code === 0 && verb === "download") writeFileSync(join(args[2] ?? "", "prometheus_2.42.0_amd64.deb"), "");
    return Promise.resolve(result);
  };
}

const find = (env: Record<string, string>, run: RunCommand): Promise<PrometheusPrograms> =>
  findPrometheus({ env, cacheDir: join(root, "cache"), run });
const never = machine(() => failure("asked"));

describe("Prometheus for tests", () => {
  test("is the one that PROMETHEUS_BIN names, before the one on the PATH; so is promtool by PROMTOOL_BIN", async () => {
    const onPath = programs("bin");
    const PATH = join(root, "bin");
    expect(await find({ PATH }, never)).toEqual(onPath);
    expect(await find({ PROMETHEUS_BIN: "/mine/prometheus", PATH }, never)).toEqual({ ...onPath, prometheus: "/mine/prometheus" });
    expect(await find({ PROMTOOL_BIN: "/mine/promtool", PATH }, never)).toEqual({ ...onPath, promtool: "/mine/promtool" });
  });

  test("comes out of Debian's package where there is none, once", async () => {
    const asked: string[] = [];
    const found = await find(
      {},
      machine(() => fine(), asked),
    );
    expect([found.prometheus.startsWith(join(root, "cache")), asked]).toEqual([true, ["download"]]);
    expect(await find({}, never)).toEqual(found);
    expect(readdirSync(join(root, "cache"))).toHaveLength(1);
  });

  test("brings promtool where only Prometheus is there", async () => {
    const prometheus = program("bin", "prometheus");
    const found = await find(
      { PATH: join(root, "bin") },
      machine(() => fine()),
    );
    expect([found.prometheus, found.promtool.startsWith(join(root, "cache"))]).toEqual([prometheus, true]);
  });

  test("comes by fresh lists of packages where the machine has none", async () => {
    const asked: string[] = [];
    const apt = (): CommandResult => (asked.length === 1 ? failure("E: Unable to locate package prometheus") : fine());
    await find({}, machine(apt, asked));
    expect(asked).toEqual(["download", "update", "download"]);
  });

  test("fails the run with every way to put it right where nothing works", async () => {
    const error = await find(
      {},
      machine(() => failure("E: no network\n")),
    ).catch(String);
    for (const part of ["E: no network", "apt install prometheus", "set PROMETHEUS_BIN"]) expect(error).toContain(part);
    expect(readdirSync(join(root, "cache"))).toEqual([]);
  });

  test("is refused by name where PROMETHEUS_BIN names something else", async () => {
    await expect(find({ PROMETHEUS_BIN: "/mine/other" }, never)).rejects.toThrow("PROMETHEUS_BIN: /mine/other is no prometheus that runs");
  });
});
