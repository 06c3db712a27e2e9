import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { stringify } from "yaml";
import type { Audit } from "../../../src/contract/messages.ts";
import { Kubernetes } from "../../../src/controller/kubernetes/kubernetes.ts";
import { loginOf, loginOfPod } from "../../../src/controller/kubernetes/login.ts";
import { systemClock } from "../../../src/io/clock.ts";
import { createLog } from "../../../src/io/log.ts";
import { type Certificates, issueCertificates } from "../../support/certificates.ts";
import { FakeKubernetes } from "../../support/fake-kubernetes.ts";
import { rolloutOf } from "../../unit/controller/builders.ts";
import { waitFor } from "./wait.ts";

const rollout = rolloutOf("cart", { kubernetes: { namespace: "shop", services: { stable: "cart", canary: "cart-new" } } });
const lineOf = (id: string): Audit => ({ format: 1, id, atMs: 0, action: "leader", who: { name: "controller a", claimed: false } });
const never = (): AbortSignal => new AbortController().signal;

let certificates: Certificates;
let folder: string;

beforeAll(async () => {
  certificates = await issueCertificates(["spiffe://shop/serin"], "localhost");
});
afterAll(() => certificates.directory.remove());

async function fakeWithTls(): Promise<FakeKubernetes> {
  const { certificate, key, authority } = certificates.server;
  folder = await mkdtemp(join(tmpdir(), "serin-kubernetes-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const fake = await FakeKubernetes.start({ cert: await readFile(certificate), key: await readFile(key), ca: await readFile(authority) });
  fake.serve("shop", "cart-new", [{ name: "new-0" }]);
  return fake;
}

function lookingAs(config: KubeConfig, pod?: string): Kubernetes {
  const parts = { config, clock: systemClock, log: createLog({ name: "test", level: "silent" }), id: "a" };
  const kubernetes = new Kubernetes({ watchMs: 1_000, pod }, parts);
  onTestFinished(() => kubernetes.close());
  return kubernetes;
}

/** What it sees of the canary's endpoints, once it sees any. */
const seenBy = (kubernetes: Kubernetes) =>
  waitFor("endpoints", () => {
    const seen = kubernetes.endpoints("shop", "cart-new");
    return "problem" in seen ? undefined : seen;
  });

/** Logs in by what a kubeconfig says of the user, in a folder that holds these files. */
async function byKubeconfig(fake: FakeKubernetes, user: object, files: Readonly<Record<string, string>> = {}): Promise<Kubernetes> {
  const cluster = { server: fake.url, "certificate-authority-data": Buffer.from(certificates.authority).toString("base64") };
  const text = stringify({
    "current-context": "test",
    clusters: [{ name: "test", cluster }],
    users: [{ name: "ann", user }],
    contexts: [{ name: "test", context: { cluster: "test", user: "ann" } }],
  });
  for (const [name, content] of Object.entries({ ...files, config: text })) {
    await writeFile(join(folder, name), content);
    await chmod(join(folder, name), 0o700);
  }
  return lookingAs(loginOf({ kubeconfig: [join(folder, "config")] }));
}

describe("in a pod", () => {
  async function accountAt(fake: FakeKubernetes): Promise<string> {
    const { hostname, port } = new URL(fake.url);
    vi.stubEnv("KUBERNETES_SERVICE_HOST", hostname);
    vi.stubEnv("KUBERNETES_SERVICE_PORT", port);
    onTestFinished(() => void vi.unstubAllEnvs());
    const account = join(folder, "var", "run", "secrets", "kubernetes.io", "serviceaccount");
    await mkdir(account, { recursive: true });
    await writeFile(join(account, "ca.crt"), certificates.authority);
    await writeFile(join(account, "namespace"), "serin\n");
    await writeFile(join(account, "token"), "first\n");
    return account;
  }

  test("the account's token is read anew when it was replaced, within a minute", async () => {
    const fake = await fakeWithTls();
    fake.knows = "first";
    const account = await accountAt(fake);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    onTestFinished(() => void vi.useRealTimers());
    const kubernetes = lookingAs(loginOfPod(folder), "serin-0");
    expect(await kubernetes.tell(lineOf("1"), rollout, never())).toEqual({ type: "told" });
    await writeFile(join(account, "token"), "second");
    fake.knows = "second";
    const refused = { type: "later", why: "Kubernetes answers 401: Unauthorized" };
    expect(await kubernetes.tell(lineOf("2"), rollout, never())).toEqual(refused);
    vi.setSystemTime(Date.now() + 61_000);
    expect(await kubernetes.tell(lineOf("2"), rollout, never())).toEqual({ type: "told" });
    expect(await seenBy(kubernetes)).toEqual({ ready: 1, all: 1 });
  });

  test("what is no rollout's is told about the pod itself, in the account's namespace", async () => {
    const fake = await fakeWithTls();
    await accountAt(fake);
    expect(await lookingAs(loginOfPod(folder), "serin-0").tell(lineOf("1"), undefined, never())).toEqual({ type: "told" });
    expect(fake.events).toEqual([
      expect.objectContaining({ regarding: { apiVersion: "v1", kind: "Pod", namespace: "serin", name: "serin-0" } }),
    ]);
  });
});

describe("a kubeconfig logs in", () => {
  test("by a token, here or in a file beside it, with the end of its line", async () => {
    const fake = await fakeWithTls();
    fake.knows = "ann's";
    expect(await seenBy(await byKubeconfig(fake, { token: "ann's\n" }))).toEqual({ ready: 1, all: 1 });
    const inFile = await byKubeconfig(fake, { token: "old", tokenFile: "token" }, { token: "ann's\n" });
    expect(await seenBy(inFile)).toEqual({ ready: 1, all: 1 });
  });

  test("by a client's certificate, in files beside it", async () => {
    const fake = await fakeWithTls();
    fake.knows = "client-0";
    const [{ cert, key } = { cert: "", key: "" }] = certificates.clients;
    const user = { "client-certificate": "ann.pem", "client-key": "ann.key" };
    expect(await seenBy(await byKubeconfig(fake, user, { "ann.pem": cert, "ann.key": key }))).toEqual({ ready: 1, all: 1 });
  });

  test("by a program that gives a token", async () => {
    const fake = await fakeWithTls();
    fake.knows = "by program";
    const credential = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token: "by program\n" } };
    const env = [{ name: "PRINTED", value: JSON.stringify(credential) }];
    const exec = { apiVersion: credential.apiVersion, command: join(folder, "login"), interactiveMode: "Never", env };
    // It reads its input to the end, as one does that asks a question.
    const kubernetes = await byKubeconfig(fake, { exec }, { login: `#!/bin/sh\ncat\nprintf %s "$PRINTED"\n` });
    expect(await seenBy(kubernetes)).toEqual({ ready: 1, all: 1 });
  });

  test.each([
    {
      title: "ends with a failure",
      script: `printf 'no session %01000d' 0 >&2; exit 3`,
      why: /^the program \S*login, which logs in, ended with 3: no session 0+…$/,
    },
    { title: "prints no JSON", script: "echo secret-1", why: /printed no ExecCredential with a status$/ },
    { title: "prints no status", script: "echo '{}'", why: /printed no ExecCredential with a status$/ },
    {
      title: "prints no legal token",
      script: `printf '{"status":{"token":"secret-1\\\\nx"}}'`,
      why: /printed no ExecCredential with a status$/,
    },
  ])("by a program that $title, and is asked again until it does better", async ({ script, why }) => {
    const fake = await fakeWithTls();
    fake.knows = "better";
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: join(folder, "login"), interactiveMode: "Never" };
    const kubernetes = await byKubeconfig(fake, { exec }, { login: `#!/bin/sh\n${script}\n` });
    const told = await kubernetes.tell(lineOf("1"), rollout, never());
    expect(told).toEqual({ type: "later", why: expect.stringMatching(why) });
    expect(JSON.stringify(told).length).toBeLessThan(350);
    expect(JSON.stringify(told)).not.toContain("secret-1");
    await writeFile(join(folder, "login"), `#!/bin/sh\necho '{"status":{"token":"better"}}'\n`);
    expect(await kubernetes.tell(lineOf("1"), rollout, never())).toEqual({ type: "told" });
  });

  test("and a token that the library itself cannot send stands in no error", async () => {
    const fake = await fakeWithTls();
    const user = { "auth-provider": { name: "other", config: { tokenFile: join(folder, "token") } } };
    const kubernetes = await byKubeconfig(fake, user, { token: "secret-1\nmore" });
    const why = "what logs in cannot be sent in a header; look for characters that do not belong there";
    expect(await kubernetes.tell(lineOf("1"), rollout, never())).toEqual({ type: "later", why });
    kubernetes.endpoints("shop", "cart-new");
    await expect.poll(() => kubernetes.endpoints("shop", "cart-new")).toEqual({ problem: why });
  });

  test("and who is refused, or not believed, is said to be", async () => {
    const fake = await fakeWithTls();
    fake.knows = "ann's";
    const stranger = await byKubeconfig(fake, { token: "another" });
    const problemOf = (kubernetes: Kubernetes) =>
      waitFor("a problem", () => {
        const seen = kubernetes.endpoints("shop", "cart-new");
        return "problem" in seen && seen.problem !== "Kubernetes has not answered yet" ? seen.problem : undefined;
      });
    expect(await problemOf(stranger)).toBe("Kubernetes answers 401: Unauthorized");
    expect(await problemOf(lookingAs(loginOf({ url: fake.url })))).toContain("self-signed certificate in certificate chain");
  });
});

describe("nothing stays open after the end", () => {
  const open = (fake: FakeKubernetes) => () => fake.connections;
  const soon = { timeout: 10_000 };

  const list = "GET /apis/discovery.k8s.io/v1/namespaces/shop/endpointslices";
  test.each([
    { title: "of a list that is not answered", change: { failsWith: 0 }, asked: list },
    { title: "of a watch that is not answered", change: { refusesWatches: 0 }, asked: `${list} watch` },
    { title: "of an open watch", change: {}, asked: `${list} watch` },
  ] as const)("$title", async ({ change, asked }) => {
    const fake = Object.assign(await fakeWithTls(), change);
    const kubernetes = await byKubeconfig(fake, { token: "ann's" });
    kubernetes.endpoints("shop", "cart-new");
    await waitFor(asked, () => fake.asked.includes(asked) || undefined);
    await expect.poll(open(fake), soon).toBe(1);
    await kubernetes.close();
    await expect.poll(open(fake), soon).toBe(0);
  });

  test("of an Event that is not answered", async () => {
    const fake = await fakeWithTls();
    fake.failsWith = 0;
    const kubernetes = await byKubeconfig(fake, { token: "ann's" });
    const stopping = new AbortController();
    const told = kubernetes.tell(lineOf("1"), rollout, stopping.signal);
    await waitFor("the question", () => fake.asked.length > 0 || undefined);
    stopping.abort(new Error("the controller stops"));
    expect(await told).toEqual({ type: "later", why: "the controller stops" });
    await expect.poll(open(fake), soon).toBe(0);
  });

  test("and a program that logs in for ever is waited for by nobody", async () => {
    const fake = await fakeWithTls();
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: join(folder, "login"), interactiveMode: "Never" };
    const [begun, pid] = [join(folder, "begun"), join(folder, "pid")];
    const login = `#!/bin/sh\necho $$ > '${begun}'\nmv '${begun}' '${pid}'\nexec sleep 600\n`;
    const kubernetes = await byKubeconfig(fake, { exec }, { login });
    kubernetes.endpoints("shop", "cart-new");
    const begunAs = await waitFor("the program", () => readFile(pid, "utf8"));
    onTestFinished(() => void process.kill(Number(begunAs), "SIGKILL"));
    await kubernetes.close();
    const stopping = new AbortController();
    const told = kubernetes.tell(lineOf("1"), rollout, stopping.signal);
    stopping.abort(new Error("the controller stops"));
    expect(await told).toEqual({ type: "later", why: "the controller stops" });
  });
});

test("a watch that freezes without ending is noticed by the client, which lists anew", async () => {
  const fake = await FakeKubernetes.start();
  fake.serve("shop", "cart-new", [{ name: "new-0" }]);
  const kubernetes = lookingAs(loginOf({ url: fake.url }));
  expect(await seenBy(kubernetes)).toEqual({ ready: 1, all: 1 });
  await waitFor("a watch", () => fake.watches > 0 || undefined);
  fake.isFrozen = true;
  fake.serve("shop", "cart-new", [{ name: "new-0" }, { name: "new-1" }]);
  await expect.poll(() => kubernetes.endpoints("shop", "cart-new"), { timeout: 30_000 }).toEqual({ ready: 2, all: 2 });
});
