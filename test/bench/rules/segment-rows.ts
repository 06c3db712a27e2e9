import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { SUBJECTS } from "../../../src/contract/names.ts";
import type { RuleSet } from "../../../src/contract/rules.ts";
import { packUsers, unpackUsers } from "../../../src/contract/user-lists.ts";
import { startProcess, whenReady } from "../../../src/demo/processes.ts";
import { waitFor } from "../../../src/demo/wait-for.ts";
import { connectNats, type NatsLink } from "../../../src/io/nats.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { published } from "../../support/rules-on-disk.ts";
import { median, note, type Stops } from "../wire/bench.ts";
import { type Holder, type HolderSource, startHolder } from "./holder-process.ts";
import { scaleRules } from "./scale-rules.ts";

export interface SegmentBench {
  readonly rollouts: number;
  readonly users: number;
  readonly list: string;
  readonly idleS: number;
  readonly changes: number;
  readonly directory: string;
  readonly stops: Stops;
  /** A server whose streams are there. */
  readonly natsUrl: string;
}

/** What a segment of many users costs beside many rollouts: settled memory, and stalls when one user of it is another one. */
export async function segmentRows(bench: SegmentBench): Promise<[string, string][]> {
  const { rollouts, list, directory, natsUrl, stops } = bench;
  const rules = (revision: number): RuleSet => ({
    ...scaleRules(rollouts),
    revision,
    segments: { testers: { packedUsers: revision === 1 ? list : withAnother(list) } },
  });
  const path = join(directory, "segment.json");
  const toFile: Prepare = (revision) => prepareFile(path, rules(revision));
  const link = await connectNats({ url: natsUrl, name: "bench", waitForServer: false });
  stops.push(() => link.close());
  const toNats = preparePublishing(link, rules);
  await toFile(1)();
  await toNats(1)();
  const stateDir = (name: string): string => join(directory, name);
  const files = ["--rules", path];
  return [
    ...(await memoryRow("--rules FILE", files, bench)),
    ...(await memoryRow("NATS", ["--nats", natsUrl, "--state-dir", stateDir("sidecar")], bench)),
    ...(await stallRows("--rules FILE", { kind: "file", path }, toFile, bench)),
    ...(await stallRows("NATS", { kind: "nats", url: natsUrl, stateDir: stateDir("holder") }, toNats, bench)),
  ];
}

/** The list with one user gone and another one come. */
function withAnother(list: string): string {
  const table = unpackUsers(list);
  if (table === undefined) throw new Error("no list");
  const bytes = randomBytes(8);
  table.set([bytes.readUInt32BE(0), bytes.readUInt32BE(4)], (bytes.readUInt32BE(0) % (table.length / 2)) * 2);
  new BigUint64Array(table.buffer).sort();
  return packUsers(table);
}

/** Does what takes time of its own, and gives what makes a revision known. */
type Prepare = (revision: number) => () => Promise<void>;

function prepareFile(path: string, ruleSet: RuleSet): () => Promise<void> {
  const text = JSON.stringify(ruleSet);
  return async () => {
    await writeFile(`${path}.next`, text);
    await rename(`${path}.next`, path);
  };
}

/** Sends only blobs that were not sent before, as a controller does. */
function preparePublishing(link: NatsLink, rules: (revision: number) => RuleSet): Prepare {
  const sent = new Set<string>();
  return (revision) => {
    const { manifest, contents } = published(rules(revision));
    const fresh = [...contents].filter(([hash]) => !sent.has(hash));
    return async () => {
      for (const [hash, data] of fresh) {
        await link.jetstream.publish(SUBJECTS.blob(hash), data);
        sent.add(hash);
      }
      await link.jetstream.publish(SUBJECTS.manifest, manifest);
    };
  };
}

async function memoryRow(title: string, source: readonly string[], bench: SegmentBench): Promise<[string, string][]> {
  const { directory, idleS, rollouts, users } = bench;
  let metrics: string | undefined;
  const bin = join(packageRoot(), "dist", "bin", "serin.js");
  const sidecar = await startProcess({
    name: "sidecar",
    program: process.execPath,
    args: [bin, "sidecar", "--json", "--ext-proc", `unix:${join(directory, "g.sock")}`, "--metrics", "127.0.0.1:0", ...source],
    env: Object.fromEntries(["PATH", "HOME"].map((name) => [name, process.env[name] ?? ""])),
    onLine: (line, from) => {
      if (from === "stdout") metrics ??= String(JSON.parse(line).metrics);
    },
  });
  bench.stops.push(() => sidecar.stop(5_000));
  const url = await whenReady(
    sidecar,
    waitFor(() => metrics, { deadlineMs: 60_000, what: "the sidecar to serve" }),
  );
  const isThere = async (): Promise<boolean> => /^serin_rules_revision\S* 1\b/m.test(await (await fetch(`${url}/metrics`)).text());
  await waitFor(isThere, { deadlineMs: 60_000, what: "rules" });
  note(`segment, ${title}: idle for ${idleS} s`);
  await delay(idleS * 1_000);
  const status = await readFile(`/proc/${sidecar.pid}/status`, "utf8");
  const [now, most] = ["VmRSS", "VmHWM"].map((name) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024));
  await sidecar.stop(5_000);
  return [[`${title}: ${rollouts} rollouts and a segment of ${users} users, settled memory`, `${now} MB, largest ever ${most} MB`]];
}

async function stallRows(
  title: string,
  source: HolderSource,
  prepare: Prepare,
  { changes, users, stops }: SegmentBench,
): Promise<[string, string][]> {
  await prepare(1)();
  const holder: Holder = await startHolder(source, 1, stops);
  const measured = [];
  for (let revision = 2; revision < 2 + changes; revision += 1) measured.push(await holder.measure(revision, prepare(revision)));
  const stalls = measured.map(({ longestStallMs }) => longestStallMs);
  return [
    [`${title}: segment of ${users} users, first load, longest stall`, `${holder.first.longestStallMs.toFixed(1)} ms`],
    [
      `${title}: one user of the segment is another, longest stall`,
      `${median(stalls).toFixed(1)} ms, worst ${Math.max(...stalls).toFixed(1)} ms`,
    ],
    [`${title}: one user of the segment is another, in force after`, `${median(measured.map(({ tookMs }) => tookMs)).toFixed(0)} ms`],
  ];
}
