import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { stringify } from "yaml";
import { UsageError } from "../../../src/contract/errors.ts";
import { startController } from "../../../src/controller/controller.ts";
import { loginOf } from "../../../src/controller/kubernetes/login.ts";
import { ControllerOptionsSchema } from "../../../src/controller/options.ts";
import { systemClock } from "../../../src/io/clock.ts";
import { createLog } from "../../../src/io/log.ts";
import { runWith } from "../cli/cli-parts.ts";

/** A kubeconfig with one context of each name, each with a cluster and a user of that name; the first is current. */
const kubeconfigOf = (names: readonly string[], change: object = {}, user: object = { token: "t" }): string =>
  stringify({
    "current-context": names[0],
    clusters: names.map((name) => ({ name, cluster: { server: `https://${name}.example:6443` } })),
    users: names.map((name) => ({ name, user })),
    contexts: names.map((name) => ({ name, context: { cluster: name, user: name } })),
    ...change,
  });

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "serin-kubeconfig-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
  return folder;
}

describe("a kubeconfig", () => {
  test("leads to the cluster of its current context, or of the one that is named", async () => {
    const folder = await folderWith({ config: kubeconfigOf(["blue", "green"]) });
    const kubeconfig = [join(folder, "config")];
    expect(loginOf({ kubeconfig }).getCurrentCluster()?.server).toBe("https://blue.example:6443");
    expect(loginOf({ kubeconfig, context: "green" }).getCurrentCluster()?.server).toBe("https://green.example:6443");
  });

  test("may be several files: what all of them hold, and the first current context", async () => {
    const folder = await folderWith({ a: kubeconfigOf(["blue"]), b: kubeconfigOf(["green"]) });
    const kubeconfig = [join(folder, "a"), join(folder, "b")];
    expect(loginOf({ kubeconfig }).getCurrentCluster()?.server).toBe("https://blue.example:6443");
    expect(loginOf({ kubeconfig, context: "green" }).getCurrentCluster()?.server).toBe("https://green.example:6443");
  });

  test.each([
    { title: "that is none", text: "hello", problem: "no context is current; choose one by --kubernetes-context" },
    { title: "that is empty", text: "", problem: "holds no kubeconfig; give a file that kubectl can read" },
    {
      title: "without a server",
      text: kubeconfigOf(["blue"], { clusters: [{ name: "blue", cluster: {} }] }),
      problem: "clusters[0].cluster.server is missing; give a file that kubectl can read",
    },
    {
      title: "without a current context",
      text: kubeconfigOf(["blue"], { "current-context": "" }),
      problem: "no context is current; choose one by --kubernetes-context",
    },
    {
      title: "whose current context is not there",
      text: kubeconfigOf(["blue", "green"], { "current-context": "red" }),
      problem: 'there is no context "red"; choose one of these: blue, green',
    },
    {
      title: "whose cluster is not there",
      text: kubeconfigOf(["blue"], { clusters: [] }),
      problem: 'context "blue" names the cluster "blue", which is not there; add it, or choose another context',
    },
    {
      title: "whose user is not there",
      text: kubeconfigOf(["blue"], { users: [] }),
      problem: 'context "blue" names the user "blue", who is not there; add them, or choose another context',
    },
    {
      title: "whose certificate is not there",
      text: kubeconfigOf(["blue"], {}, { "client-certificate": "/nowhere/blue.pem" }),
      problem: 'context "blue" names the file /nowhere/blue.pem, which is not there; bring it, or choose another context',
    },
    {
      title: "whose user acts for a group",
      text: kubeconfigOf(["blue"], {}, { token: "t", as: "ann", "as-groups": ["ops"] }),
      problem: 'context "blue" names the user "blue", whose "as-groups" Serin does not know; log in as somebody with their own rights',
    },
    {
      title: "whose token no header can hold",
      text: kubeconfigOf(["blue"], {}, { token: "secret\nmore" }),
      problem: 'context "blue" names the user "blue", whose token holds what no header may; write it anew',
    },
    {
      title: "whose program has no name",
      text: kubeconfigOf(["blue"], {}, { exec: { args: ["secret"] } }),
      problem: 'context "blue" names the user "blue", whose "exec" names no program; give it a command, args and env as kubectl reads them',
    },
    ...[{ token: "t" }, { tokenFile: "/dev/null" }, { username: "ann", password: "p" }, { exec: { command: "login" } }].map((user) => ({
      title: `that would give ${Object.keys(user)[0]} away`,
      text: kubeconfigOf(["blue"], { clusters: [{ name: "blue", cluster: { server: "http://blue.example:8080" } }] }, user),
      problem: 'context "blue" names the cluster "blue", which would get credentials in clear; write its server with https://',
    })),
  ])("$title is refused", async ({ text, problem }) => {
    const folder = await folderWith({ config: text });
    const path = join(folder, "config");
    expect(() => loginOf({ kubeconfig: [path] })).toThrow(new UsageError(`--kubernetes: ${path}: ${problem}`));
  });

  test.each([
    { title: "on this machine", server: "http://127.0.0.1:8001", user: { token: "t" } },
    { title: "where nobody logs in", server: "http://blue.example:8080", user: {} },
  ])("may lead to an address without TLS $title", async ({ server, user }) => {
    const clusters = [{ name: "blue", cluster: { server } }];
    const path = join(await folderWith({ config: kubeconfigOf(["blue"], { clusters }, user) }), "config");
    expect(loginOf({ kubeconfig: [path] }).getCurrentCluster()).toMatchObject({ server, skipTLSVerify: true });
  });

  test("need name no user in its context", async () => {
    const contexts = [{ name: "blue", context: { cluster: "blue" } }];
    const path = join(await folderWith({ config: kubeconfigOf(["blue"], { contexts }) }), "config");
    expect(loginOf({ kubeconfig: [path] }).getCurrentUser()).toEqual({ name: "nobody" });
  });

  test.each([
    { title: "a quote that is open", line: 'token: "secret-1' },
    { title: "what no value begins with", line: "token: @secret-1" },
    { title: "an alias of nothing", line: "token: *secret-1" },
    { title: "a bracket that is open", line: "token: [secret-1" },
  ])("that is no YAML by $title is refused with its place, and without what it holds", async ({ line }) => {
    const path = join(await folderWith({ config: `users:\n  - name: ann\n    user:\n      ${line}\n` }), "config");
    const refused = vi.fn<(error: unknown) => void>();
    try {
      loginOf({ kubeconfig: [path] });
    } catch (error) {
      refused(error);
    }
    const place = expect.stringMatching(/^--kubernetes: .*config:[45]:\d+: .*; give a file that kubectl can read$/);
    expect(refused.mock.calls).toEqual([[expect.objectContaining({ name: "UsageError", message: place })]]);
    expect(inspect(refused.mock.calls)).not.toContain("secret-1");
  });

  test("without the context that is named is refused by the flag's name", async () => {
    const path = join(await folderWith({ config: kubeconfigOf(["blue", "green"]) }), "config");
    expect(() => loginOf({ kubeconfig: [path], context: "red" })).toThrow(
      new UsageError(`--kubernetes-context: ${path}: there is no context "red"; choose one of these: blue, green`),
    );
  });
});

describe("the account of a pod", () => {
  test.each([
    { host: "10.0.0.1", port: "8080", server: "https://10.0.0.1:8080" },
    { host: "10.0.0.1", port: undefined, server: "https://10.0.0.1:443" },
    { host: "10.0.0.1", port: "", server: "https://10.0.0.1:443" },
    { host: "fd00::1", port: "6443", server: "https://[fd00::1]:6443" },
  ])("leads to $server by TLS", ({ host, port, server }) => {
    vi.stubEnv("KUBERNETES_SERVICE_HOST", host);
    vi.stubEnv("KUBERNETES_SERVICE_PORT", port);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(loginOf({}).getCurrentCluster()).toMatchObject({ server, skipTLSVerify: false });
  });
});

describe("`serin controller --kubernetes`", () => {
  const controller = (...args: string[]) => ["controller", "--nats", "nats://127.0.0.1:1", "--id", "a", ...args];
  const options = (kubernetes: object) => [expect.objectContaining({ kubernetes })];
  const home = { kubeconfig: () => ["/etc/kube/config"] };

  test("takes the account of its pod, and elsewhere the files that kubectl reads", async () => {
    const inPod = { isPod: () => true, host: "serin-0" };
    expect((await runWith(controller("--kubernetes"), { ...home, ...inPod })).started).toEqual(options({ pod: "serin-0" }));
    expect((await runWith(controller("--kubernetes"), home)).started).toEqual(options({ kubeconfig: home.kubeconfig() }));
    const green = { kubeconfig: home.kubeconfig(), context: "green" };
    expect((await runWith(controller("--kubernetes-context", "green"), { ...home, ...inPod })).started).toEqual(options(green));
  });

  test("takes an address, or a file", async () => {
    const asked = (...args: string[]) => runWith(controller("--kubernetes", ...args), home);
    expect((await asked("http://127.0.0.1:8001")).started).toEqual(options({ url: "http://127.0.0.1:8001" }));
    const file = { kubeconfig: ["prod.yaml"], context: "green" };
    expect((await asked("prod.yaml", "--kubernetes-context", "green")).started).toEqual(options(file));
  });

  test.each([
    {
      args: ["--kubernetes"],
      error:
        "--kubernetes: this is no pod with an account, and there is no kubeconfig (KUBECONFIG, ~/.kube/config); in a pod let the account be mounted (automountServiceAccountToken), elsewhere name a kubeconfig, or give an address, like that of `kubectl proxy`, http://127.0.0.1:8001\n",
    },
    {
      args: ["--kubernetes", "http://127.0.0.1:8001", "--kubernetes-context", "green"],
      error: "--kubernetes-context: an address has no contexts; give a kubeconfig, or no context\n",
    },
    {
      args: ["--kubernetes", ""],
      error: "--kubernetes: names nothing; give a kubeconfig or an address, or the flag alone\n",
    },
    {
      args: ["--kubernetes", "localhost:8001"],
      error:
        "--kubernetes: localhost:8001: ENOENT: no such file or directory, open 'localhost:8001'; if it is an address, write http://localhost:8001\n",
    },
    { args: ["--kubernetes", "ftp://a"], error: "--kubernetes: not an address; write one like http://127.0.0.1:8001\n" },
    {
      args: ["--kubernetes", "/nowhere/config"],
      error:
        "--kubernetes: /nowhere/config: ENOENT: no such file or directory, open '/nowhere/config'; give a file that kubectl can read\n",
    },
  ])("with $args ends before it has reached NATS", async ({ args, error }) => {
    const ran = await runWith(controller(...args), {
      startController: (given) =>
        startController(ControllerOptionsSchema.parse(given), {
          log: createLog({ name: "test", level: "silent" }),
          clock: systemClock,
          signal: AbortSignal.timeout(4_000),
        }),
    });
    expect([ran.code, ran.error]).toEqual([2, error]);
  });
});
