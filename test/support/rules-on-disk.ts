import type { RuleSet, StaticRules } from "../../src/contract/rules.ts";
import { unpackUsers } from "../../src/contract/user-lists.ts";
import { encodeBlobs, encodeManifest } from "../../src/io/rules-store.ts";
import { encodeIndex } from "../../src/io/segment-store.ts";
import { createRulesDisk, type KeptRules } from "../../src/sidecar/rules-disk.ts";
import { cutTable } from "./segments.ts";

interface Published {
  readonly manifest: string;
  readonly hashes: string[];
  readonly contents: Map<string, string | Uint8Array>;
}

/** A rule set as a controller publishes it: the manifest, and the blobs by their hashes. */
export function published({ epoch, revision, rollouts, segments = {} }: RuleSet): Published {
  const entries = Object.entries(rollouts);
  const { blobs, contents: texts } = encodeBlobs(
    Object.fromEntries(entries.map(([name, { rules }]): [string, StaticRules] => [name, rules])),
  );
  const live = Object.fromEntries(entries.map(([name, rollout]) => [name, rollout.live]));
  const contents = new Map<string, string | Uint8Array>(texts);
  const indexes: Record<string, string> = {};
  for (const [name, { when, packedUsers }] of Object.entries(segments)) {
    const { plan, chunks } = cutTable(name, unpackUsers(packedUsers ?? "") ?? new Uint32Array());
    const index = encodeIndex({ ...plan, when });
    indexes[name] = index.hash;
    contents.set(index.hash, index.text);
    for (const [hash, bytes] of chunks) contents.set(hash, bytes);
  }
  const manifest = encodeManifest({
    format: 1,
    epoch,
    revision,
    term: 1,
    issuedAtMs: 0,
    blobs,
    ...(Object.keys(indexes).length === 0 ? {} : { segments: indexes }),
    live,
  });
  return { manifest, hashes: [...contents.keys()], contents };
}

/** Puts a rule set into a sidecar's state directory, as if it had kept it just now. */
export async function keepOnDisk(directory: string, ruleSet: RuleSet): Promise<void> {
  const { manifest, hashes, contents } = published(ruleSet);
  const fetch: KeptRules["fetch"] = (hash) => Promise.resolve(Buffer.from(contents.get(hash) ?? ""));
  await createRulesDisk(directory).save({ manifest: Buffer.from(manifest), blobs: hashes, fetch });
}
