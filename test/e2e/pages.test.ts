import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { commandsOf } from "../support/doc-blocks.ts";
import { type Newcomer, startNewcomer } from "../support/newcomer.ts";
import { startOtlpCollector } from "../support/otlp-collector.ts";
import type { Ran } from "../support/page-shell.ts";

/** Whoever has followed the README, and reads on. */
let reader: Newcomer;
let sidecars: number[];
const SIDECAR = "--ext-proc unix:run/serin-0.sock --nats nats://127.0.0.1:4222 --state-dir run/state-0";

beforeAll(async () => {
  reader = startNewcomer();
  await reader.follow(commandsOf("README.md", "programs"));
  for (const [port, name] of [
    [8081, "stable"],
    [8082, "canary"],
  ])
    await reader.begin(`node deploy/compose/shop.mjs 127.0.0.1:${port} ${name}`);
  const [folder = "", ...terminals] = commandsOf("README.md", "terminals");
  await reader.run(folder);
  const started = [];
  for (const line of [...terminals, ...commandsOf("README.md", "second")]) started.push({ line, pid: await reader.begin(line) });
  sidecars = started.filter(({ line }) => line.includes("sidecar")).map(({ pid }) => pid);
  await until("npx serin status", ({ out }) => /leads \(term 1\)\n2 sidecars known\nno rollouts/.test(out));
});
afterAll(() => reader.stop());

/** Runs a line again until it ends as wanted. */
const until = (line: string, isWanted: (ran: Ran) => boolean = ({ code }) => code === 0): Promise<Ran> => {
  let last: Ran | undefined;
  const ask = async (): Promise<Ran | undefined> => {
    last = await reader.run(line);
    return isWanted(last) ? last : undefined;
  };
  return waitFor(ask, { deadlineMs: 60_000, what: `${line} to end as wanted` }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${last?.out}`);
  });
};

/** Ends a program as whoever deploys does; its exit code. */
const end = async (pid: number): Promise<number> => (await reader.run(`kill ${pid}; wait ${pid}`)).code;

/** Runs what does not end by itself until it has written this; its exit code. */
async function runUntilSaid(line: string, said: string): Promise<number> {
  const pid = Number((await reader.run(`rm -f said.log; ${line} > said.log 2>&1 & echo $!`)).out);
  await until("cat said.log", ({ out }) => out.includes(said));
  return end(pid);
}

/** The answer may be lost, and a second order is refused: what counts is that it goes back. */
const abort = (rollout: string) =>
  until(`npx serin abort ${rollout}; npx serin status ${rollout}`, ({ out }) => new RegExp(`^${rollout}: roll`, "m").test(out));

/** All sidecars have the rules of the run. */
const inStage = (rollout: string) =>
  until(`npx serin status ${rollout}`, ({ out }) => new RegExp(`^${rollout}: stage \\d of \\d, for `, "m").test(out));

describe("docs/envoy.md, with all sidecars running", () => {
  test("shows that they are ready, and that Envoy has found them", async () => {
    const [ready = "", clusters = ""] = commandsOf("docs/envoy.md", "ready");
    expect((await reader.run(ready)).out).toMatch(/^HTTP\/1\.1 200 /);
    const healthy = /^(serin::\S+serin-[01]\.sock::health_flags::healthy\n){2}$/;
    await until(clusters, ({ out }) => healthy.test(out));
  });

  test("shows that a user gets what was decided", async () => {
    const [apply = "", request = "", explain = ""] = commandsOf("docs/envoy.md", "decide");
    expect((await reader.run(apply)).code).toBe(0);
    await until(request, ({ out }) => out === "this is canary\n");
    expect((await reader.run(explain)).out).toMatch(/target testers holds: canary\ncanary, /);
  });

  test("shows that outcomes come, on both sides", async () => {
    const [, request = ""] = commandsOf("docs/envoy.md", "decide");
    const [status = ""] = commandsOf("docs/envoy.md", "count");
    await inStage("shop");
    const counted = /stable [1-9]\d* requests, 0 failed; canary [1-9]\d* requests, 0 failed/;
    const lines = [request, request.replace('"x-beta: 1"', '"x-beta: 0"'), status].join("\n");
    expect((await until(lines, ({ out }) => counted.test(out))).out).toMatch(counted);
  });

  test("says so where a rollout names a cluster that Envoy does not call so", async () => {
    const text = await readFile(join(packageRoot(), "deploy", "compose", "rollouts", "shop.yaml"), "utf8");
    const changed = text
      .replace("name: shop", "name: other")
      .replace("shop.example", "other.example")
      .replace("cluster: canary", "cluster: canary-v2");
    await writeFile(join(reader.folder, "other.yaml"), changed);
    expect((await reader.run("npx serin apply -f other.yaml")).code).toBe(0);
    await inStage("other");
    const request = (commandsOf("docs/envoy.md", "decide")[1] ?? "").replace("shop.example", "other.example");
    expect((await reader.run(request)).out).toBe("this is stable\n");
    const [status = ""] = commandsOf("docs/envoy.md", "count");
    const said = /[1-9]\d* canary decisions? (was|were) answered by another cluster: does Envoy have .*`canary-v2`/;
    await until([request, status.replace("shop", "other")].join("\n"), ({ out }) => said.test(out));
  });
});

describe("what is done to a rollout", () => {
  /** Another version, with other clusters, before the example: something that one can go back to. */
  beforeAll(async () => {
    const example = await readFile(join(packageRoot(), "docs", "examples", "checkout.yaml"), "utf8");
    await writeFile(join(reader.folder, "before.yaml"), example.replace("cluster: canary", "cluster: canary-before"));
    expect((await reader.run("npx serin apply -f before.yaml")).code).toBe(0);
    await abort("checkout");
    await until("npx serin apply -f docs/examples/checkout.yaml");
    await until("npx serin status checkout", ({ out }) => out.includes("stage 1 of 4"));
  });

  test("docs/policy.md: a freeze holds, what is to be done in spite of it is done, and it ends", async () => {
    const [freeze = "", unfreeze = ""] = commandsOf("docs/policy.md", "freeze");
    const [override = ""] = commandsOf("docs/policy.md", "override");
    const ran = await reader.follow([freeze, override.replace(/ --override.*/, ""), override, unfreeze]);
    expect(ran.map(({ code }) => code)).toEqual([0, 5, 0, 0]);
    for (const line of commandsOf("docs/runbooks/stuck.md", "look")) await until(line, ({ out }) => out.includes("stage 2 of 4"));
  });

  test("docs/operating.md: it is watched, and a link is made for somebody", async () => {
    for (const line of commandsOf("docs/operating.md", "watch")) expect(await runUntilSaid(line, "checkout: stage 2 of 4")).toBe(0);
    await reader.follow(commandsOf("docs/rules.md", "keys"));
    const [link] = await reader.follow(commandsOf("docs/operating.md", "link"));
    expect(link).toMatchObject({ code: 0, out: expect.stringMatching(/^https:\/\/serin\.example\/\S+\n$/) });
  });

  test("docs/operating.md: each verb is carried out, in the page's order", async () => {
    const phases = ["stage 2", "paused", "stage 2", "stage 3", "rolled back", "stage 1", "promoted", "handed over", "pro|pending"];
    const lines = commandsOf("docs/operating.md", "verbs");
    expect(lines).toHaveLength(phases.length);
    for (const [index, line] of lines.entries()) {
      // A verb answers when what it did is kept; what it leads to may come later.
      await until("npx serin status checkout", ({ out }) => new RegExp(`^checkout: (${phases[index]})`, "m").test(out));
      expect(await reader.run(line)).toMatchObject({ code: 0 });
    }
    await until("npx serin status checkout", ({ out }) => out.includes("checkout: rolled back"));
    const looked = await reader.follow(commandsOf("docs/runbooks/rolled-back.md", "look"));
    expect(looked.map(({ code }) => code)).toEqual([0, 3, 0]);
    expect(looked[0]?.out).toContain("checkout: 4 attempts");
  });
});

describe("a further controller", () => {
  /** Runs the lines that make a token and start a controller with it; gives the token. */
  async function serve([make = "", start = ""]: readonly string[]): Promise<{ pid: number; token: string }> {
    const [, token = "", , line = ""] = (await reader.run(make)).out.split("\n");
    await writeFile(join(reader.folder, "tokens"), `${line}\n`);
    return { pid: await reader.begin(start), token };
  }

  test("docs/api.md: answers whoever has the token, and tells what changes", async () => {
    const { pid, token } = await serve(commandsOf("docs/api.md", "serve"));
    await reader.run(`TOKEN=${token}`);
    const [example = ""] = commandsOf("docs/api.md", "examples");
    await until(example.replace("curl ", "curl -sf "), ({ out }) => out.includes('"rolledBack"'));
    const [events = ""] = commandsOf("docs/api.md", "events");
    expect((await reader.run(events)).out).toMatch(/^event: hello\ndata: /);
    expect(await end(pid)).toBe(0);
  });

  test("docs/page.md: serves the page", async () => {
    const { pid } = await serve(commandsOf("docs/page.md", "serve"));
    await until("curl -sf http://127.0.0.1:9470/", ({ out }) => out.includes("<title>Serin</title>"));
    expect(await end(pid)).toBe(0);
  });

  test("docs/metrics.md: pushes to a collector", async () => {
    const collector = await startOtlpCollector();
    const [line = ""] = commandsOf("docs/metrics.md", "push");
    const pid = await reader.begin(
      `OTEL_METRIC_EXPORT_INTERVAL=300 ${line.replace("http://collector:4318", collector.url.replace("127.0.0.1", "localhost"))}`,
    );
    await waitFor(() => collector.received.some(({ path }) => path === "/v1/metrics"), { deadlineMs: 30_000, what: "metrics" });
    expect(await end(pid)).toBe(0);
    await collector.stop();
  });

  test("docs/dashboards.md: is scraped beside sidecars and Envoy", async () => {
    const [, controller = "", prometheus = ""] = commandsOf("docs/dashboards.md", "scrape");
    const folder = join(reader.folder, "deploy", "prometheus");
    await mkdir(folder);
    for (const name of ["prometheus.yaml", "alerts.rules.yaml", "recording.rules.yaml"]) {
      const text = await readFile(join(packageRoot(), "deploy", "prometheus", name), "utf8");
      await writeFile(join(folder, name), text.replaceAll("127.0.0.1", reader.address).replaceAll("_interval: 5s", "_interval: 1s"));
    }
    const pids = [
      await reader.begin(controller.replace("…", "--nats nats://127.0.0.1:4222")),
      await reader.begin(`${prometheus.replace("prometheus", inject("prometheusProgram"))} --web.listen-address 127.0.0.1:9090`),
    ];
    await until("curl -sf http://127.0.0.1:9090/api/v1/targets", ({ out }) => out.match(/"health":"up"/g)?.length === 4);
    for (const pid of pids) expect(await end(pid)).toBe(0);
  });
});

const SILENT = /not heard in the last moments: (\S+) \(/;

describe("sidecars", () => {
  test("docs/runbooks: the status names one that is silent", async () => {
    const [, second] = sidecars;
    await reader.run(`kill -9 ${second}; wait ${second}`);
    let id: string | undefined;
    for (const line of [...commandsOf("docs/runbooks/sidecar-silent.md", "look"), ...commandsOf("docs/runbooks/fleet-split.md", "look")]) {
      const { out } = await until(line, (ran) => SILENT.test(ran.out));
      id = SILENT.exec(out)?.[1];
    }
    // It is gone for good: nobody is to wait for it.
    expect((await reader.run(`npx serin forget ${id}`)).code).toBe(0);
  });

  test("docs/envoy.md: without them requests go on to stable, and Envoy counts them", async () => {
    const [first = 0] = sidecars;
    expect(await end(first)).toBe(0);
    const [request, counter] = await reader.follow(commandsOf("docs/envoy.md", "undecided"));
    expect(request?.out).toBe("this is stable\n");
    expect(counter?.out).toMatch(/failure_mode_allowed: [1-9]/);
  });

  test("docs/keys.md: give a visitor a cookie, and whoever knows the secret an explanation", async () => {
    const [key = "", start = ""] = commandsOf("docs/keys.md", "cookie");
    const [secret = "", , ask = ""] = commandsOf("docs/keys.md", "debug");
    await reader.follow([key, secret]);
    // The page's two lines start the same sidecar.
    const [, flag = ""] = /serin sidecar (--debug-secret \S+)/.exec(commandsOf("docs/keys.md", "debug")[1] ?? "") ?? [];
    await reader.begin(start.replace("…", `${flag} ${SIDECAR}`));
    await abort("shop");
    await until("npx serin apply -f docs/examples/issued-cookie.yaml");
    const visit = 'curl -si -H "host: shop.example" http://127.0.0.1:10000/';
    await until(visit, ({ out }) => /^set-cookie: __Host-serin-id=/m.test(out));
    const here = ask.replace("https://shop.example/", '-H "host: shop.example" http://127.0.0.1:10000/');
    expect((await reader.run(here)).out).toMatch(/^x-serin-explain: \{/);
  });
});
