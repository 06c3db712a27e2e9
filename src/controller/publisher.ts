import { isDeepStrictEqual } from "node:util";
import { FORMAT, SUBJECTS } from "../contract/names.ts";
import type { ManifestPayload } from "../contract/rules.ts";
import { CorruptRulesError, decodeManifest, encodeManifest } from "../io/rules-store.ts";
import type { Governed } from "./derive-manifest.ts";
import type { Revision } from "./fleet.ts";
import type { TermParts } from "./ports.ts";
import { RuleSetMemo } from "./rule-set-memo.ts";
import type { SegmentKeeper } from "./segments.ts";

/**
 * Publishes the rule set that the rollouts add up to: blobs first, manifest last, and only what differs.
 * `next` names the manifest before it is written, so that live state can tell which revision carries a run.
 */
export class Publisher {
  readonly #parts: TermParts;
  readonly #segments: SegmentKeeper;
  #current: ManifestPayload | undefined;
  /** An epoch to rise to, when sidecars obey something newer than this store holds. */
  #epoch: number | undefined;
  readonly #memo = new RuleSetMemo();
  /** Blobs that no manifest names, and since when by the monotonic clock. */
  readonly #unreferenced = new Map<string, number>();

  constructor(parts: TermParts, segments: SegmentKeeper) {
    this.#parts = parts;
    this.#segments = segments;
  }

  /** The manifest in force; all zero when there is none. */
  get current(): Revision {
    return { epoch: this.#current?.epoch ?? 0, revision: this.#current?.revision ?? 0 };
  }

  /** The revision that the next manifest will have. */
  get next(): Revision {
    const began = this.#current?.epoch ?? Math.floor(this.#parts.clock.nowMs() / 1_000);
    if (this.#epoch !== undefined && this.#epoch > began) return { epoch: this.#epoch, revision: 1 };
    return { epoch: began, revision: (this.#current?.revision ?? 0) + 1 };
  }

  /** The run that a rollout had in the manifest; for one whose live state is lost. */
  runInForce(rollout: string): number {
    return this.#current?.live[rollout]?.run ?? 0;
  }

  /** Reads what the leader before left; an unreadable manifest is replaced by one that outranks it. */
  async load(): Promise<void> {
    const { state, log, clock } = this.#parts;
    const stored = await state.read(SUBJECTS.manifest);
    if (stored !== undefined) {
      try {
        this.#current = decodeManifest(stored.data);
      } catch (error) {
        if (!(error instanceof CorruptRulesError)) throw error;
        log.error({ err: error }, "manifest unreadable, replacing it");
      }
    }
    const nowMs = clock.monotonicMs();
    for (const subject of await state.subjects(SUBJECTS.blob("*"))) this.#unreferenced.set(subject, nowMs);
  }

  /** Makes the next manifest outrank what a sidecar reports; it takes effect with the next `sync`. */
  outrank(epoch: number): void {
    this.#epoch = Math.max(epoch, this.#epoch ?? 0);
  }

  /** Publishes the rule set of these rollouts, when it differs from the one in force. */
  async sync(all: readonly Governed[]): Promise<void> {
    const { blobs, live } = this.#memo.derive(all);
    const indexes = this.#segments.indexes;
    const segments = Object.fromEntries(indexes.map(([name, { hash }]) => [name, hash]));
    const before = this.#current;
    const { epoch, revision } = this.next;
    const isSame =
      before !== undefined && epoch === before.epoch && isDeepStrictEqual({ blobs: blobs.blobs, segments, live }, pick(before));
    if (isSame) return;
    const { state, clock, term } = this.#parts;
    const named = new Set(Object.values(before?.blobs ?? {}));
    for (const [hash, content] of blobs.contents) {
      // Only a blob of the manifest in force surely stays until this one is out; any other may be purged at any moment.
      if (!named.has(hash)) await state.write(SUBJECTS.blob(hash), content);
    }
    for (const [name, { hash, text }] of indexes) if (before?.segments?.[name] !== hash) await state.write(SUBJECTS.blob(hash), text);
    const payload: ManifestPayload = {
      format: FORMAT,
      epoch,
      revision,
      term,
      issuedAtMs: clock.nowMs(),
      blobs: blobs.blobs,
      ...(indexes.length === 0 ? {} : { segments }),
      live,
    };
    // Known before it is written: a sidecar's receipt can overtake the server's answer, and is no sign of a lost write.
    this.#current = payload;
    try {
      await state.write(SUBJECTS.manifest, encodeManifest(payload));
    } catch (error) {
      this.#current = before;
      throw error;
    }
  }

  /** Removes blobs that no manifest has named for the time that the options give. */
  async purge(): Promise<void> {
    const { state, clock, settings } = this.#parts;
    const nowMs = clock.monotonicMs();
    const named = new Set([...Object.values(this.#current?.blobs ?? {}), ...this.#segments.blobs].map(SUBJECTS.blob));
    for (const subject of await state.subjects(SUBJECTS.blob("*"))) {
      const sinceMs = this.#unreferenced.get(subject);
      if (named.has(subject)) this.#unreferenced.delete(subject);
      else if (sinceMs === undefined) this.#unreferenced.set(subject, nowMs);
      else if (nowMs - sinceMs >= settings.purgeAfterMs) {
        await state.purge(subject);
        this.#unreferenced.delete(subject);
      }
    }
  }

  /** Lets blobs that no manifest names yet stay for a while from now on. */
  spare(subjects: readonly string[]): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const subject of subjects) this.#unreferenced.set(subject, nowMs);
  }
}

const pick = ({ blobs, segments = {}, live }: ManifestPayload): Pick<ManifestPayload, "blobs" | "segments" | "live"> => ({
  blobs,
  segments,
  live,
});
