import type { Receipt } from "../../../src/contract/messages.ts";
import { SUBJECTS } from "../../../src/contract/names.ts";
import { type ManifestPayload } from "../../../src/contract/rules.ts";
import { connectNats, type NatsLink, readState } from "../../../src/io/nats.ts";
import { decodeManifest } from "../../../src/io/rules-store.ts";
import { type Counts, evidenceOf } from "../../unit/controller/builders.ts";

/** How the two variants answer: failed requests among 100. */
export interface Traffic {
  canaryFailed: number;
  stableFailed: number;
}

/**
 * Says what a sidecar says, in the messages of the contract: it obeys each manifest at once, and counts made-up requests
 * by the share in force. Counts are cumulative and stamped with the run that decided them. It tells no durations: a canary is cold
 * for a minute, and only then could it be shown not to be slower.
 */
export class FakeSidecar {
  readonly id: string;
  readonly traffic: Traffic = { canaryFailed: 0, stableFailed: 0 };
  /** False keeps it from confirming anything newer. */
  obeys = true;
  manifest: ManifestPayload | undefined;
  readonly #link: NatsLink;
  readonly #counts = new Map<string, Counts>();
  readonly #startNs = `${Date.now()}000000`;
  readonly #startedAtMs = Date.now();
  #sequence = 0;
  #timer: NodeJS.Timeout | undefined;
  #isBusy = false;

  constructor(id: string, link: NatsLink) {
    this.id = id;
    this.#link = link;
  }

  static async start(id: string, url: string): Promise<FakeSidecar> {
    const sidecar = new FakeSidecar(id, await connectNats({ url, name: id, waitForServer: true }));
    sidecar.#timer = setInterval(() => void sidecar.#turn(), 25);
    return sidecar;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#link.close();
  }

  /** Says goodbye like a sidecar that drains. */
  async goodbye(): Promise<void> {
    clearInterval(this.#timer);
    this.#say("goodbye");
    await this.#link.connection.flush();
  }

  async #turn(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      const stored = await readState(this.#link, SUBJECTS.manifest);
      if (stored !== undefined && this.obeys) this.manifest = decodeManifest(stored.data);
      if (this.manifest !== undefined) this.#say("ok");
      for (const name of Object.keys(this.manifest?.live ?? {})) this.#serve(name);
    } catch {
      // NATS is being restarted by the test; the next turn asks again.
    } finally {
      this.#isBusy = false;
    }
  }

  #say(state: Receipt["state"]): void {
    const { epoch = 0, revision = 0 } = this.manifest ?? {};
    const atMs = Date.now();
    const { id: sidecar } = this;
    const receipt: Receipt = {
      format: 1,
      sidecar,
      epoch,
      revision,
      sinceMs: atMs,
      atMs,
      startedAtMs: this.#startedAtMs,
      state,
      rejected: 0,
    };
    const text = JSON.stringify(receipt);
    if (state === "goodbye") this.#link.connection.publish(SUBJECTS.presence(sidecar), text);
    this.#link.connection.publish(SUBJECTS.receipt(sidecar), text);
  }

  #serve(name: string): void {
    const live = this.manifest?.live[name];
    if (live === undefined) return;
    const canary = live.off ? 0 : Math.round((100 * live.shareBp) / 10_000);
    this.#count(name, { variant: "stable", run: live.run, decided: 100 - canary, failed: this.traffic.stableFailed * (1 - canary / 100) });
    this.#count(name, { variant: "canary", run: live.run, decided: canary, failed: (this.traffic.canaryFailed * canary) / 100 });
    this.#sequence += 1;
    const mine = [...this.#counts].flatMap(([key, counts]) => (key.startsWith(`${name} `) ? [counts] : []));
    this.#link.connection.publish(SUBJECTS.evidence(this.id), JSON.stringify(evidenceOf(name, this.#sequence, mine, this.#startNs)));
  }

  #count(name: string, { variant, run, decided, failed }: Omit<Counts, "ok">): void {
    const key = `${name} ${variant} ${run}`;
    const before = this.#counts.get(key) ?? { variant, run, decided: 0, ok: 0, failed: 0, isTimed: false };
    const bad = Math.min(decided, Math.round(failed));
    this.#counts.set(key, { ...before, decided: before.decided + decided, ok: before.ok + decided - bad, failed: before.failed + bad });
  }
}
