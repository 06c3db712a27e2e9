import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { runCommand } from "../../src/demo/run-command.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { issueCertificates } from "../support/certificates.ts";
import { commandsOf } from "../support/doc-blocks.ts";
import { patient } from "../support/edge-config.ts";
import { packSerin } from "../support/package.ts";
import { type SystemdHost, startSystemdHost } from "../support/systemd-host.ts";

const here = (...path: string[]): string => join(packageRoot(), ...path);
const page = readFileSync(here("docs", "hosts.md"), "utf8");

const ROLLOUT = [
  "apiVersion: serin/v1",
  "kind: Rollout",
  "name: shop",
  "match: { hosts: [shop.example] }",
  "key: [{ header: x-user-id }]",
  "variants: { stable: { cluster: stable }, canary: { cluster: canary } }",
  "targets: [{ name: ann, when: { header: { name: x-user-id, exact: ann } }, variant: canary }]",
  "strategy: { type: blueGreen, preview: { promote: byHand } }",
].join("\n");

let host: SystemdHost;
/** Lines of the page, in a folder of the host. */
const follow = (lines: readonly string[], folder?: string): Promise<string> => host.run(lines.join("\n"), folder);

beforeAll(async () => {
  const packed = await packSerin();
  try {
    host = await startSystemdHost((root) => prepare(root, packed.tarball));
  } finally {
    await packed.remove();
  }
  await followPage();
});
afterAll(() => host?.stop());

/** Puts into the root what the page takes for granted: the programs, what is copied by hand, names of hosts and certificates. */
async function prepare(root: string, tarball: string): Promise<void> {
  const to = (...path: string[]): string => join(root, ...path);
  for (const [name, program] of Object.entries({
    node: process.execPath,
    envoy: inject("envoyProgram"),
    "nats-server": inject("natsServerProgram"),
  }))
    cpSync(realpathSync(program), to("usr/local/bin", name));
  const modules = (await runCommand("npm", ["root", "--global"], 20_000)).stdout.trim();
  cpSync(join(modules, "npm"), to("usr/local/lib/node_modules/npm"), { recursive: true, dereference: true });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", to("usr/local/bin/npm"));
  cpSync(tarball, to("srv", basename(tarball)));
  cpSync(here("deploy/systemd"), to("srv/systemd"), { recursive: true });
  cpSync(here("deploy/nats"), to("etc/nats"), { recursive: true });
  writeFileSync(to("etc/hosts"), "127.0.0.1 localhost nats.example\n");
  const { server, directory } = await issueCertificates([], "nats.example");
  cpSync(server.certificate, to("etc/nats/server.pem"));
  cpSync(server.key, to("etc/nats/server.key"));
  mkdirSync(to("etc/serin"));
  cpSync(server.authority, to("etc/serin/ca.pem"));
  await directory.remove();
  const environment = (name: string, lines: readonly string[]): void =>
    writeFileSync(to("etc/serin", name), `${lines.join("\n")}\nSERIN_NATS_CA=/etc/serin/ca.pem\n`);
  environment("sidecar.env", commandsOf("docs/hosts.md", "sidecar"));
  environment("sidecar-1.env", commandsOf("docs/hosts.md", "second"));
  environment("controller.env", commandsOf("docs/hosts.md", "controller"));
  writeFileSync(to("srv/shop.yaml"), ROLLOUT);
  const shipped = patient(readFileSync(here("envoy/envoy.yaml"), "utf8"));
  const sockets = ["/run/serin/0/ext-proc-0.sock", "/run/serin/0/ext-proc-1.sock", "/run/serin/1/ext-proc.sock"];
  const [first = "", second = ""] = shipped.match(/^.*path: run\/serin-[01]\.sock.*\n/gm) ?? [];
  const own = sockets.map((socket) => first.replace("run/serin-0.sock", socket)).join("");
  writeFileSync(to("etc/envoy.yaml"), shipped.replace(first, own).replace(second, ""));
}

/** Carries out what the page says, in its order, with NATS and Envoy as units of users of their own. */
async function followPage(): Promise<void> {
  await host.run("sed --in-place '/^# tls {/,/^# }/s/^# //' nats-server.conf", "/etc/nats");
  await follow(commandsOf("docs/hosts.md", "secrets"), "/etc/nats");
  await host.run("systemd-sysusers --inline 'u nats -' 'u envoy -' && chown nats secrets.conf server.key", "/etc/nats");
  await host.run(
    `systemd-run --quiet --unit nats --uid nats --property StateDirectory=nats ${commandsOf("docs/hosts.md", "nats").join("\n")}`,
  );
  await follow(commandsOf("docs/hosts.md", "install"));
  await follow(commandsOf("docs/hosts.md", "units"), "/srv/systemd");
  expect(await follow(commandsOf("docs/hosts.md", "sidecar-start"), "/etc/nats")).toContain('"isReady":true');
  await host.run("systemctl enable --now serin-sidecar@1");
  await follow(commandsOf("docs/hosts.md", "controller-start"), "/etc/nats");
  for (const [name, port] of Object.entries({ stable: 8081, canary: 8082 })) {
    const script = `require("node:http").createServer((_, answer) => answer.setHeader("x-seen", "${name}").end()).listen(${port}, "127.0.0.1")`;
    await host.run(`systemd-run --quiet --unit ${name} node --eval '${script}'`);
  }
  await host.run("systemd-run --quiet --unit envoy --uid envoy envoy -c /etc/envoy.yaml --disable-hot-restart --log-level warning");
}

/** `serin` as a person with the file of a role. */
const serin = (role: "operator" | "viewer", words: string): Promise<string> =>
  host.run(`serin ${words} --nats tls://nats.example:4222 --nats-ca /etc/serin/ca.pem --nats-creds ${role}.creds`, "/etc/nats");

const waitForStatus = (wanted: RegExp): Promise<true> =>
  waitFor(
    async () => {
      expect(await serin("viewer", "status")).toMatch(wanted);
      return true;
    },
    { deadlineMs: 60_000, what: `a status like ${wanted}` },
  );

/** Values of a unit's properties, in their order. */
const shown = async (unit: string, ...properties: string[]): Promise<string[]> =>
  (await host.run(properties.map((name) => `systemctl show --value --property ${name} ${unit}`).join("; "))).split("\n");

/** Asks so often for the user, four times at once; each line of the answer is a status and who answered. */
const asking = (user: string, times: number): string =>
  `curl --silent --parallel --parallel-max 4 --output /dev/null --write-out '%{http_code} %header{x-seen}\\n' --header 'host: shop.example' --header 'x-user-id: ${user}' 'http://127.0.0.1:10000/[1-${times}]'`;

/** The different answers that the user gets. */
const answersTo = async (user: string): Promise<string[]> => [...new Set((await host.run(asking(user, 60))).split("\n"))];

const untilAnswered = (user: string, answer: string): Promise<true> =>
  waitFor(
    async () => {
      expect(await answersTo(user)).toEqual([answer]);
      return true;
    },
    { deadlineMs: 60_000, what: `${user} to be answered: ${answer}` },
  );

test("the page's commands bring a controller and two sidecars up, which hear each other", async () => {
  await waitForStatus(/leads \(term 1\)\n3 sidecars known\n/);
  expect(await shown("serin-sidecar@0", "UnitFileState", "NRestarts")).toEqual(["enabled", "0"]);
});

test("an Envoy whose user is in the group is answered by all sockets, and nobody else reaches one", async () => {
  await serin("operator", "apply -f /srv/shop.yaml");
  await untilAnswered("ann", "200 canary");
  expect(await answersTo("ben")).toEqual(["200 stable"]);
  const stranger = "setpriv --reuid nobody --regid nogroup --clear-groups";
  const tried = await host.tried(`${stranger} curl --verbose --unix-socket /run/serin/0/ext-proc-0.sock http://localhost/`);
  expect([tried.code, tried.stderr]).toEqual([7, expect.stringContaining("Permission denied")]);
});

describe.each([
  { unit: "serin-sidecar@0", user: "serin-sidecar", own: ["/run/serin/0", "/var/lib/serin/0"] },
  { unit: "serin-controller", user: "serin-controller", own: [] },
])("$unit, as it runs", ({ unit, user, own }) => {
  test("is exposed as little as the page says", async () => {
    const told = /calls the exposure (\d\.\d)/.exec(page)?.[1];
    const figure = /Overall exposure level for .*: (\d\.\d)/.exec(await host.run(`systemd-analyze security --no-pager ${unit}`))?.[1];
    expect(figure).toBe(told);
  });

  test("has no right of root's, and cannot get one", async () => {
    const [pid] = await shown(unit, "MainPID");
    const status = await host.run(`cat /proc/${pid}/status`);
    const field = (name: string): string | undefined => new RegExp(`^${name}:\\s+(.*)$`, "m").exec(status)?.[1];
    const id = await host.run(`id --user ${user}`);
    expect(field("Uid")?.split("\t")).toEqual([id, id, id, id]);
    expect(["CapPrm", "CapEff", "CapBnd", "CapAmb"].map(field)).toEqual(Array(4).fill("0000000000000000"));
    expect([field("NoNewPrivs"), field("Seccomp")]).toEqual(["1", "2"]);
  });

  test("can write into its own folders alone, and sees neither homes nor processes of others", async () => {
    const [pid] = await shown(unit, "MainPID");
    const asIt = (find: string) =>
      host.tried(`nsenter --target ${pid} --mount setpriv --reuid ${user} --regid ${user} --clear-groups find ${find}`);
    const pruned = ["/proc", "'/var/lib/serin/0/*'"].map((path) => `-path ${path} -prune -o`).join(" ");
    const { stdout, stderr } = await asIt(`/ ${pruned} -not -type l -not -type s -not -type c -writable -print`);
    expect(new Set(stdout.trim().split("\n"))).toEqual(new Set([...own, "/tmp", "/var/tmp"]));
    expect(stderr).toContain("find: '/home': Permission denied\n");
    expect(stderr).toContain("find: '/root': Permission denied\n");
    expect((await asIt(`/proc -maxdepth 1 -name '[0-9]*' -not -user ${user}`)).stdout).toBe("");
  });
});

test("sidecars that are restarted as the page says cost no request under load, and no decision", async () => {
  const load = `until [ -e /run/enough ]; do ${asking("ann", 200)}; done > /srv/load`;
  await host.run(`systemd-run --quiet --unit load bash -c "${load}"`);
  await follow(commandsOf("docs/hosts.md", "restart"));
  await host.run("until curl --silent --fail http://127.0.0.1:9466/readyz; do sleep 0.1; done; touch /run/enough");
  await waitFor(async () => (await shown("load", "ActiveState"))[0] === "inactive", { deadlineMs: 60_000, what: "the load to end" });
  expect(await host.run("sort load | uniq --count")).toMatch(/^\d{4,} 200 canary$/);
});

test("one that is killed is started again, and another answers meanwhile", async () => {
  const [before] = await shown("serin-sidecar@1", "MainPID");
  await host.run("systemctl kill --signal KILL --kill-whom main serin-sidecar@1");
  expect(await answersTo("ann")).toEqual(["200 canary"]);
  const started = async () => (await shown("serin-sidecar@1", "ActiveState", "NRestarts")).join() === "active,1";
  await waitFor(started, { deadlineMs: 30_000, what: "systemd to start it again" });
  expect(await shown("serin-sidecar@1", "MainPID")).not.toEqual([before]);
});

test("a password is changed as the page says, and orders arrive by the new one", async () => {
  const change = `old=$(cut --delimiter : --fields 2 sidecar.creds)
    sed --in-place "s/$old/$(openssl rand -hex 24)/" /etc/serin/sidecar.creds secrets.conf
    nats-server --signal reload`;
  await host.run(change, "/etc/nats");
  const ended = 'journalctl --quiet --output cat --unit nats --grep "serin-sidecar .*authentication error"';
  await waitFor(() => host.run(ended), { deadlineMs: 30_000, what: "NATS to end the logins by the old one" });
  await serin("operator", "promote shop");
  await untilAnswered("ben", "200 canary");
  expect(await host.run("systemctl show --value --property NRestarts serin-sidecar@0")).toBe("0");
});

test("what a unit says is in the journal, a line of JSON each", async () => {
  const lines = (await host.run("journalctl --quiet --output cat --unit serin-sidecar@1 _COMM=node")).split("\n");
  const told = ["listening", "draining", "stopped", "last good rules read from disk"];
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(expect.arrayContaining(told));
});

test("what is stopped drains, says goodbye and ends well; the rules stay, and stable answers", async () => {
  await host.run("systemctl stop serin-sidecar@1");
  await waitForStatus(/2 sidecars known\b/);
  await host.run("systemctl stop serin-sidecar@0 serin-controller");
  for (const unit of ["serin-sidecar@0", "serin-sidecar@1", "serin-controller"])
    expect([unit, ...(await shown(unit, "Result", "ExecMainStatus", "ActiveState"))]).toEqual([unit, "success", "0", "inactive"]);
  expect(await host.run("ls /run/serin")).toBe("");
  expect(await host.run("ls /var/lib/serin/0/*/rules.json")).not.toBe("");
  await untilAnswered("ann", "200 stable");
});
