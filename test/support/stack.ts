import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { inject } from "vitest";
import { stringify } from "yaml";
import type { LiveState } from "../../src/contract/live.ts";
import type { Audit, Receipt } from "../../src/contract/messages.ts";
import { ReceiptSchema } from "../../src/contract/messages.ts";
import { SUBJECTS } from "../../src/contract/names.ts";
import type { RolloutInput } from "../../src/contract/rollout.ts";
import * as demo from "../../src/demo/stack.ts";
import { type SeenRequest, sendRequest, startTraffic } from "../../src/demo/traffic.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { connectNats, type NatsLink, subscribeSafely } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { listAudit, readLive } from "../../src/io/store.ts";
import { patient } from "./edge-config.ts";
import { LEASE, type Login, waitForFleet } from "./fleet.ts";

export type { Stack } from "../../src/demo/stack.ts";

export const HOST = "shop.example";

/** All parts as processes: two sidecars, one controller, real NATS and Envoy. A controller, where there is one, knows every sidecar. */
export async function startStack(options: Partial<demo.StackOptions> = {}, login: Login = {}): Promise<demo.Stack> {
  const stack = await demo.startStack({
    envoyProgram: inject("envoyProgram"),
    natsServerProgram: inject("natsServerProgram"),
    serinBin: join(packageRoot(), "dist", "bin", "serin.js"),
    env: process.env,
    sidecars: 2,
    controllers: 1,
    envoyChange: patient,
    ...options,
    controllerArgs: [...LEASE, ...(options.controllerArgs ?? [])],
    sidecarArgs: ["--drain", "1500ms", ...(options.sidecarArgs ?? [])],
  });
  if (options.controllers === 0) return stack;
  try {
    await waitForFleet(stack, login);
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

type Stages = Extract<RolloutInput["strategy"], { stages: unknown }>["stages"];

/** A rollout with the stages given; tolerant, so that small samples suffice. */
export const rolloutOf = (name: string, stages: Stages): RolloutInput => ({
  apiVersion: "serin/v1",
  kind: "Rollout",
  name,
  match: { hosts: [HOST] },
  key: [{ header: "x-user-id" }],
  variants: { stable: { cluster: "stable" }, canary: { cluster: "canary", tags: { "x-serin-variant": "canary" } } },
  strategy: { type: "canary", stages },
  checks: { errors: { maxIncrease: "20%" }, latency: { maxIncrease: "50%" } },
});

/** A stage that lasts longer than any test. */
export const heldAt = (share: string): Stages => [{ share, minTime: "1h" }];

/** Applies a rollout by the command line. */
export async function applyRollout(stack: demo.Stack, rollout: RolloutInput): Promise<void> {
  const file = join(stack.directory, `${rollout.name}.yaml`);
  await writeFile(file, stringify(rollout));
  const { code, error } = await stack.serin("apply", "-f", file);
  if (code !== 0) throw new Error(`apply ended with ${code}: ${error}`);
}

export const connect = (stack: demo.Stack, login: Login = {}): Promise<NatsLink> =>
  connectNats({ url: stack.nats.url, ...login, name: "test", waitForServer: true });

/** Waits until the rollout's live state is as wanted. */
export const waitForLive = (
  link: NatsLink,
  name: string,
  isWanted: (state: LiveState) => boolean,
  deadlineMs = 30_000,
): Promise<LiveState> =>
  waitFor(
    async () => {
      const state = await readLive(link, name);
      return state !== undefined && isWanted(state) ? state : undefined;
    },
    { deadlineMs, what: `${name} to be as wanted` },
  );

/** What the audit tells of a rollout, once nothing waits for it: it is written behind what it tells. */
export async function auditOf(link: NatsLink, name: string): Promise<Audit[]> {
  await waitForLive(link, name, ({ outbox }) => outbox.length === 0);
  return listAudit(link, name, 100);
}

/** In its stage, and every sidecar obeys. */
export const hasBegun = ({ plan }: LiveState): boolean => plan.phase === "stage" && plan.begunAtMs !== null;

/** The first receipt that is as wanted. */
export function waitForReceipt(link: NatsLink, isWanted: (receipt: Receipt) => boolean): Promise<Receipt> {
  let found: Receipt | undefined;
  const stop = subscribeSafely(
    link,
    SUBJECTS.allReceipts,
    ({ data }) => {
      const receipt = ReceiptSchema.parse(JSON.parse(Buffer.from(data).toString("utf8")));
      if (isWanted(receipt)) found = receipt;
    },
    (error) => process.stderr.write(`${String(error)}\n`),
  );
  return waitFor(() => found, { deadlineMs: 30_000, what: "a receipt as wanted" }).finally(stop);
}

/** Asks once for a user; what the user saw. */
export const ask = (stack: demo.Stack, user: string, headers: Record<string, string> = {}): Promise<SeenRequest> =>
  sendRequest({ port: stack.envoy.port, host: HOST, path: "/", user, headers });

/** Asks for users one after the other. */
export async function askAll(stack: demo.Stack, users: readonly string[]): Promise<SeenRequest[]> {
  const seen: SeenRequest[] = [];
  for (const user of users) seen.push(await ask(stack, user));
  return seen;
}

export const users = (count: number): string[] => Array.from({ length: count }, (_, index) => `user-${index}`);

export interface Load {
  readonly seen: SeenRequest[];
  stop(): Promise<void>;
}

/** Sends requests of many users until it is stopped. */
export function startLoad({ envoy: { port } }: { readonly envoy: Pick<demo.Stack["envoy"], "port"> }, perSecond: number): Load {
  const seen: SeenRequest[] = [];
  const { stop } = startTraffic({ port, host: HOST, path: "/", users: 500, perSecond, onRequest: (request) => seen.push(request) });
  return { seen, stop };
}

/** Waits until so many more requests have been answered. */
export const waitForRequests = ({ seen }: Load, more: number): Promise<true> => {
  const enough = seen.length + more;
  return waitFor(() => (seen.length >= enough ? true : undefined), { deadlineMs: 60_000, what: `${more} more requests` });
};
