import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { durationMs } from "../../../src/contract/quantities.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { SidecarOptionsSchema } from "../../../src/sidecar/options.ts";
import { GRACE_MS } from "../../../src/sidecar/workers/workers.ts";
import { runWith } from "../cli/cli-parts.ts";

const page = readFileSync(join(packageRoot(), "docs", "hosts.md"), "utf8");
const blocks = (mark: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`sh ${mark}\n(.*?)\n\`\`\``, "gms"))].map(([, text = ""]) => text);
const unit = (name: string): string => readFileSync(join(packageRoot(), "deploy", "systemd", name), "utf8");
const settings = (text: string): ReadonlyMap<string, string> =>
  new Map([...text.matchAll(/^([A-Za-z_]+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]));

test("each command takes the flags that it is given", async () => {
  const ran = await Promise.all((blocks("flags")[0] ?? "").split("\n").map((line) => runWith(line.split(" ").slice(1))));
  expect(ran.map(({ code, error }) => [code, error])).toEqual([
    [0, ""],
    [0, ""],
    [2, "--nats-creds viewer.creds cannot be read; it is a file of one line user:password, or a .creds file with a JWT and its seed\n"],
  ]);
  expect(ran.map(({ started }) => started)).toMatchObject([
    [{ source: { nats: "tls://nats.example:4222", natsCreds: "sidecar.creds" } }],
    [{ nats: "tls://nats.example:4222", natsCreds: "controller.creds" }],
    [],
  ]);
});

test("a controller of three servers keeps what it stores on each", async () => {
  const ran = await Promise.all((blocks("cluster-flags")[0] ?? "").split("\n").map((line) => runWith(line.split(" ").slice(1))));
  const nats = [1, 2, 3].map((number) => `tls://nats-${number}.example:4222`).join(",");
  expect(ran.map(({ started }) => started)).toMatchObject([[{ source: { nats } }], [{ nats, natsReplicas: 3 }]]);
});

/** Runs what a unit starts, with the files of its environment. */
function startBy(text: string, files: readonly string[]) {
  const environment = settings(files.join("\n"));
  const line = settings(text)
    .get("ExecStart")
    ?.replaceAll("%i", "0")
    .replace("$SERIN_FLAGS", environment.get("SERIN_FLAGS") ?? "");
  const from = { defaultNats: environment.get("SERIN_NATS"), natsCreds: environment.get("SERIN_NATS_CREDS") };
  return runWith(line?.split(" ").slice(1) ?? [], from);
}

describe("the unit of a sidecar", () => {
  const text = unit("serin-sidecar@.service");

  test("starts one with the page's environment, and with that of a second one", async () => {
    const [first = "", second = ""] = [...blocks("sidecar"), ...blocks("second")];
    expect((await startBy(text, [first])).started).toMatchObject([
      2,
      { extProc: "unix:/run/serin/0/ext-proc.sock", source: { natsCreds: "/etc/serin/sidecar.creds" }, stateDir: "/var/lib/serin/0" },
    ]);
    expect((await startBy(text, [first, second])).started).toMatchObject([
      { metrics: "127.0.0.1:9466", source: { nats: "tls://nats.example:4222" } },
    ]);
  });

  test("waits for as long as a sidecar may drain", () => {
    const { drainMs } = SidecarOptionsSchema.parse({ id: "s", extProc: "unix:/s", source: { file: "r" } });
    expect(durationMs(settings(text).get("TimeoutStopSec") ?? "")).toBeGreaterThan(drainMs + GRACE_MS);
    expect(settings(text).get("KillMode")).toBe("mixed");
  });
});

test("the unit of a controller starts one with the page's environment", async () => {
  expect((await startBy(unit("serin-controller.service"), blocks("controller"))).started).toMatchObject([
    { nats: "tls://nats.example:4222", natsCreds: "/etc/serin/controller.creds", http: "127.0.0.1:9465" },
  ]);
});
