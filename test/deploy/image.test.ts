import { once } from "node:events";
import { chownSync, lstatSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { VERSION } from "../../src/contract/version.ts";
import { type RunningProcess, startProcess } from "../../src/demo/processes.ts";
import { sendRequest } from "../../src/demo/traffic.ts";
import { startUpstream } from "../../src/demo/upstreams.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { type Buildah, openBuildah, putBuildTools, putProgram } from "../support/buildah.ts";
import { startEnvoy } from "../support/envoy.ts";

const ConfigSchema = z.object({
  Docker: z.object({
    config: z.object({
      User: z.string(),
      Env: z.array(z.string()),
      Entrypoint: z.array(z.string()),
      Cmd: z.array(z.string()),
      WorkingDir: z.string(),
      Labels: z.record(z.string(), z.string()),
      Healthcheck: z.object({ Test: z.array(z.string()) }),
    }),
  }),
});
type Config = z.infer<typeof ConfigSchema>["Docker"]["config"];

let buildah: Buildah;
let config: Config;
/** Files of the image, and of the base below it. */
let root: string;
let base: string;

beforeAll(async () => {
  buildah = await openBuildah();
  base = buildah.folder("base");
  await putProgram(base, "/nodejs/bin/node", process.execPath);
  await buildah.baseOf("base", base);
  const tools = buildah.folder("tools");
  await buildah.baseOf("tools", tools, await putBuildTools(tools));
  const args = ["BASE=localhost/base", "BUILD_BASE=localhost/tools", "REVISION=abc"].flatMap((arg) => ["--build-arg", arg]);
  // The other format has no place for HEALTHCHECK.
  await buildah.run("build", "--isolation", "chroot", "--format", "docker", "--pull-never", "--tag", "serin", ...args, packageRoot());
  ({ config } = ConfigSchema.parse(JSON.parse(await buildah.run("inspect", "--type", "image", "serin"))).Docker);
  root = await buildah.run("mount", await buildah.run("from", "--pull-never", "serin"));
});
afterAll(() => buildah.close());

/** A place for `/var/lib/serin`, as a named volume is: with the owner that the image gives it. */
function volume(): string {
  const folder = mkdtempSync(join(tmpdir(), "serin-volume-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { uid, gid } = statSync(join(root, "var/lib/serin"));
  chownSync(folder, uid, gid);
  return folder;
}

interface Started {
  /** In the place of the image's entry point and command. */
  readonly words?: readonly string[];
  readonly user?: string;
  readonly state?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the image as its configuration says: its variables and nothing else, its user, and a root that nobody can write to. */
async function start({ words = [], user = config.User, state = volume(), env = {} }: Started): Promise<RunningProcess> {
  const script =
    'mount --bind "$1" "$1" && mount --bind "$2" "$1/var/lib/serin" && mount -o remount,bind,ro "$1" && root="$1" user="$3" && shift 3 && exec /usr/sbin/chroot --userspec="$user" "$root" "$@"';
  const args = ["--mount", "/bin/sh", "-c", script, "sh", root, state, user, ...words];
  const own = Object.fromEntries(config.Env.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
  const started = await startProcess({ name: "image", program: "/usr/bin/unshare", args, env: { ...own, ...env } });
  onTestFinished(async () => void (await started.stop()));
  return started;
}

const serin = (args: readonly string[], more: Omit<Started, "words"> = {}): Promise<RunningProcess> =>
  start({ ...more, words: [...config.Entrypoint, ...args] });

async function endOf(started: RunningProcess): Promise<{ code: number | null; output: string }> {
  const { code } = await started.ended;
  return { code, output: started.output() };
}

/** Paths of all files in a folder, with their sizes in bytes. */
function filesIn(folder: string, path = ""): [path: string, bytes: number][] {
  return readdirSync(join(folder, path), { withFileTypes: true }).flatMap((entry) => {
    const below = join(path, entry.name);
    return entry.isDirectory() ? filesIn(folder, below) : [[below, lstatSync(join(folder, below)).size] as [string, number]];
  });
}

describe("the image", () => {
  test("holds the program, the page, licences and the list of packages over its base, and nothing else", () => {
    const inBase = new Set(filesIn(base).map(([path]) => path));
    const added = filesIn(root).filter(([path]) => !inBase.has(path));
    const kinds = [...new Set(added.map(([path]) => path.replace(/^app\/dist\/bin\/.+\.js$/, "app/dist/bin/*.js")))];
    const page = ["icon.svg", "index.html", "page.css", "page.js"].map((name) => `app/dist/ui/${name}`);
    const program = ["app/LICENSE", "app/dist/bin/*.js", "app/dist/bin/THIRD-PARTY-NOTICES.txt"];
    expect(kinds.toSorted()).toEqual([...program, ...page, "app/package.json", "app/serin.cdx.json"]);
    expect(added.reduce((sum, [, bytes]) => sum + bytes, 0)).toBeLessThan(8_000_000);
  });

  test("says what it is, and names no variable that could be a secret", () => {
    expect(config.Labels).toMatchObject({
      "org.opencontainers.image.title": "Serin",
      "org.opencontainers.image.licenses": "Apache-2.0",
      "org.opencontainers.image.version": VERSION,
      "org.opencontainers.image.revision": "abc",
    });
    expect(config.Env.map((line) => line.slice(0, line.indexOf("="))).toSorted()).toEqual(["NODE_ENV", "PATH", "SERIN_HEALTH_URL"]);
    expect(config).toMatchObject({ User: "65532:65532", Cmd: ["--help"], WorkingDir: "/app" });
  });

  test.each([
    { title: "its own user", user: "65532:65532" },
    { title: "a user that has no name either", user: "12345:12345" },
  ])("prints its version and help as $title", async ({ user }) => {
    expect(await endOf(await serin(["version"], { user }))).toMatchObject({ code: 0, output: expect.stringContaining(VERSION) });
    expect(await endOf(await serin(config.Cmd, { user }))).toMatchObject({ code: 0, output: expect.stringContaining("sidecar") });
  });

  test("cannot be written to, but for the volume of its state", async () => {
    const write = (path: string): Promise<RunningProcess> =>
      start({ words: ["node", "--eval", `require("node:fs").writeFileSync(${JSON.stringify(path)}, "")`] });
    expect(await endOf(await write("/app/x"))).toMatchObject({ code: 1, output: expect.stringContaining("EROFS") });
    expect(await endOf(await write("/var/lib/serin/x"))).toMatchObject({ code: 0 });
  });
});

/** Port of loopback that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // `as`: a TCP server's address is never a string
  server.close();
  await once(server, "close");
  return port;
}

const rollout = [
  "{ apiVersion: serin/v1, kind: Rollout, name: shop, match: { hosts: [shop.example] }, key: [{ header: x-user-id }]",
  "variants: { stable: { cluster: stable }, canary: { cluster: canary } }, strategy: { use: fast }",
  "targets: [{ name: ann, when: { header: { name: x-user-id, exact: ann } }, variant: canary }] }",
].join(", ");

test("a sidecar in the image is healthy, decides for a real Envoy, and keeps serving on a root that it cannot write to", async () => {
  const state = volume();
  writeFileSync(join(state, "shop.yaml"), rollout);
  const printed = await serin(["rules", "-f", "/var/lib/serin/shop.yaml"], { state });
  expect((await printed.ended).code).toBe(0);
  writeFileSync(join(state, "rules.json"), printed.output());
  const metrics = `127.0.0.1:${await freePort()}`;
  const socket = "unix:/var/lib/serin/s.sock";
  const sidecar = await serin(["sidecar", "--ext-proc", socket, "--metrics", metrics, "--rules", "/var/lib/serin/rules.json"], { state });
  await waitFor(async () => (await fetch(`http://${metrics}/readyz`)).ok, { deadlineMs: 20_000, what: "the sidecar to be ready" });

  const [kind, ...words] = config.Healthcheck.Test;
  const health = { SERIN_HEALTH_URL: `http://${metrics}/healthz` };
  expect([kind, (await endOf(await start({ words, env: health }))).code]).toEqual(["CMD", 0]);

  const [stable, canary] = await Promise.all([startUpstream("stable"), startUpstream("canary")]);
  onTestFinished(async () => void (await Promise.all([stable.stop(), canary.stop()])));
  const sidecars = [`unix:${join(state, "s.sock")}`];
  const envoy = await startEnvoy({ sidecars, stable: stable.address, canary: canary.address });
  onTestFinished(async () => void (await envoy.stop()));
  const seenBy = (user: string) => sendRequest({ port: envoy.port, host: "shop.example", path: "/", user });
  expect(await seenBy("ann")).toMatchObject({ status: 200, seen: "canary" });
  expect(await seenBy("ben")).toMatchObject({ status: 200, seen: "stable" });

  expect(await sidecar.stop()).toEqual({ code: 0, signal: null });
  expect((await endOf(await start({ words, env: health }))).code).toBe(1);
});

test("a controller in the image says that NATS is away, is alive and not ready, and serves the page", async () => {
  const http = `127.0.0.1:${await freePort()}`;
  const controller = await serin(["controller", "--nats", "nats://127.0.0.1:1", "--http", http]);
  await waitFor(() => controller.output().includes("NATS does not answer"), { deadlineMs: 30_000, what: "the controller to say so" });
  const answers = await Promise.all(
    ["/healthz", "/readyz", "/", "/page.js"].map(async (path) => (await fetch(`http://${http}${path}`)).status),
  );
  expect(answers).toEqual([200, 503, 200, 200]);
});
