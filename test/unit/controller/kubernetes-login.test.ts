import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
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
  ])("$title is refused", async ({ text, problem }) => {
    const folder = await folderWith({ config: text });
    const path = join(folder, "config");
    expect(() => loginOf({ kubeconfig: [path] })).toThrow(new UsageError(`--kubernetes: ${path}: ${problem}`));
  });

  test("without the context that is named is refused by the flag's name", async () => {
    const path = join(await folderWith({ config: kubeconfigOf(["blue", "green"]) }), "config");
    expect(() => loginOf({ kubeconfig: [path], context: "red" })).toThrow(
      new UsageError(`--kubernetes-context: ${path}: there is no context "red"; choose one of these: blue, green`),
    );
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
        "--kubernetes: this is no pod with an account, and there is no kubeconfig (KUBECONFIG, ~/.kube/config); name one, or give an address, like that of `kubectl proxy`, http://127.0.0.1:8001\n",
    },
    {
      args: ["--kubernetes", "http://127.0.0.1:8001", "--kubernetes-context", "green"],
      error: "--kubernetes-context: an address has no contexts; give a kubeconfig, or no context\n",
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
