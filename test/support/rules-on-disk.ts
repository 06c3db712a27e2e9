import type { RuleSet, StaticRules } from "../../src/contract/rules.ts";
import { encodeBlobs, encodeManifest } from "../../src/io/rules-store.ts";
import { createRulesDisk, type KeptRules } from "../../src/sidecar/rules-disk.ts";

/** A rule set as a controller publishes it: the manifest, and the blobs by their hashes. */
export function published({ epoch, revision, rollouts }: RuleSet): { manifest: string; hashes: string[]; contents: Map<string, string> } {
  const entries = Object.entries(rollouts);
  const { blobs, contents } = encodeBlobs(Object.fromEntries(entries.map(([name, { rules }]): [string, StaticRules] => [name, rules])));
  const live = Object.fromEntries(entries.map(([name, rollout]) => [name, rollout.live]));
  const manifest = encodeManifest({ format: 1, epoch, revision, term: 1, issuedAtMs: 0, blobs, live });
  return { manifest, hashes: Object.values(blobs), contents };
}

/** Puts a rule set into a sidecar's state directory, as if it had kept it just now. */
export async function keepOnDisk(directory: string, ruleSet: RuleSet): Promise<void> {
  const { manifest, hashes, contents } = published(ruleSet);
  const fetch: KeptRules["fetch"] = (hash) => Promise.resolve(Buffer.from(contents.get(hash) ?? ""));
  await createRulesDisk(directory).save({ manifest: Buffer.from(manifest), blobs: hashes, fetch });
}
