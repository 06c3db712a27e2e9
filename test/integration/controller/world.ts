import { randomUUID } from "node:crypto";
import { RequestError, TimeoutError } from "@nats-io/transport-node";
import { test as base } from "vitest";
import { NoLeaderError } from "../../../src/contract/errors.ts";
import type { LiveState } from "../../../src/contract/live.ts";
import type { Audit, Command, Reply } from "../../../src/contract/messages.ts";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { type RunningController, startController } from "../../../src/controller/controller.ts";
import type { ControllerOptions } from "../../../src/controller/options.ts";
import { type Clock, systemClock } from "../../../src/io/clock.ts";
import { createLog } from "../../../src/io/log.ts";
import { connectNats, type NatsLink } from "../../../src/io/nats.ts";
import { listAudit, readFleet, readLive, sendCommand } from "../../../src/io/store.ts";
import { type NatsServer, startNatsServer } from "../../support/nats-server.ts";
import { FakeSidecar } from "./fake-sidecar.ts";
import { waitFor } from "./wait.ts";

/** How long a lease lasts in these tests, in milliseconds: longer than a busy machine holds the leader up, who shares the test's process. */
export const LEASE_MS = 4_000;

/** Where nobody counts anything. */
export const DEAF = { open: () => Promise.resolve(), close: () => undefined } as const;

/** A NATS server with controllers and sidecars that the test starts, all stopped at its end. */
export class World {
  readonly server: NatsServer;
  readonly link: NatsLink;
  readonly #stops: (() => Promise<void>)[] = [];

  constructor(server: NatsServer, link: NatsLink) {
    this.server = server;
    this.link = link;
  }

  async controller(
    id: string,
    parts: Readonly<{ url?: string; clock?: Clock; options?: Partial<ControllerOptions> }> = {},
  ): Promise<RunningController> {
    const options = {
      id,
      nats: parts.url ?? this.server.url,
      renewMs: 200,
      leaseMs: LEASE_MS,
      tickMs: 50,
      judgeWriteMs: 100,
      ...parts.options,
    };
    const log = createLog({ name: id, level: "silent" });
    const controller = await startController(options, { log, clock: parts.clock ?? systemClock });
    this.closing(() => controller.stop());
    return controller;
  }

  async leader(id: string, options: Partial<ControllerOptions> = {}): Promise<RunningController> {
    const controller = await this.controller(id, { options });
    await waitFor(`${id} leads`, () => controller.isLeader() || undefined);
    return controller;
  }

  async sidecar(id: string): Promise<FakeSidecar> {
    const sidecar = await FakeSidecar.start(id, this.server.url);
    this.closing(() => sidecar.stop());
    return sidecar;
  }

  send(verb: Command["verb"], change: Partial<Command> = {}): Promise<Reply> {
    const command: Command = { format: 1, id: randomUUID(), verb, who: { name: "ann", claimed: true }, ...change };
    return sendCommand(this.link, command, 5_000);
  }

  /** Asks the same again while nobody leads: parts that start in this process may hold the leader up for longer than its lease. */
  ask(verb: Command["verb"], change: Partial<Command> = {}): Promise<Reply> {
    const command = { id: randomUUID(), ...change };
    return waitFor("a leader's answer", () => this.send(verb, command).catch(whileNobodyLeads));
  }

  apply(document: RolloutInput, change: Partial<Command> = {}): Promise<Reply> {
    return this.ask("apply", { rollout: document.name, document, ...change });
  }

  /** Waits until the rollout's live state is as asked. */
  live(rollout: string, what: string, holds: (live: LiveState) => boolean): Promise<LiveState> {
    return waitFor(`${rollout} is ${what}`, async () => {
      const live = await whileAway(() => readLive(this.link, rollout));
      return live !== undefined && holds(live) ? live : undefined;
    });
  }

  phase(rollout: string, phase: LiveState["plan"]["phase"]): Promise<LiveState> {
    return this.live(rollout, phase, ({ plan }) => plan.phase === phase);
  }

  /** Waits until the leader knows these sidecars: one that serves need not have NATS yet. */
  async knows(...ids: readonly string[]): Promise<void> {
    await waitFor(`${ids.join()} to be known`, async () => {
      const { sidecars = {} } = (await readFleet(this.link)) ?? {};
      return ids.every((id) => id in sidecars) || undefined;
    });
  }

  /** What the audit tells of a rollout, once nothing waits for it: it is written behind what it tells. */
  async audit(rollout: string): Promise<Audit[]> {
    await this.live(rollout, "told in the audit", ({ outbox }) => outbox.length === 0);
    return listAudit(this.link, rollout, 100);
  }

  closing(stop: () => Promise<void>): void {
    this.#stops.unshift(stop);
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) await stop();
    await this.link.close();
    await this.server.stop();
  }
}

function whileNobodyLeads(error: unknown): undefined {
  if (!(error instanceof NoLeaderError)) throw error;
}

/** No answer while the test keeps NATS away; undefined then. */
async function whileAway<Value>(ask: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof TimeoutError || error instanceof RequestError) return undefined;
    throw error;
  }
}

/** Runs a test in a world of its own, which closes what it opened. */
export async function inWorld(run: (world: World) => Promise<void>): Promise<void> {
  const server = await startNatsServer();
  const world = new World(server, await connectNats({ url: server.url, name: "test", waitForServer: true }));
  try {
    await run(world);
  } finally {
    await world.close();
  }
}

/** A test with a world as its fixture. */
export const test = base.extend<{ world: World }>({
  world: async ({}, use) => {
    await inWorld(use);
  },
});
