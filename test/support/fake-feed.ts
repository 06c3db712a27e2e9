import { createLog } from "../../src/io/log.ts";
import { type CurrentRules, createCurrentRules } from "../../src/sidecar/current-rules.ts";
import { createManifestFeed, type ManifestFeed } from "../../src/sidecar/manifest-feed.ts";
import type { KeptRules } from "../../src/sidecar/rules-disk.ts";
import { createFakeLink, type FakeLink } from "./fake-link.ts";

/** A sidecar's feed of manifests over a link without a server, with what it brought into force and what it kept. */
export function createFakeFeed(): { fake: FakeLink; rules: CurrentRules; feed: ManifestFeed; kept: KeptRules[] } {
  const fake = createFakeLink();
  const rules = createCurrentRules(Date.now);
  const kept: KeptRules[] = [];
  const keep = async (next: KeptRules): Promise<void> => void kept.push(next);
  const feed = createManifestFeed(fake.link, { rules, log: createLog({ name: "test", level: "silent" }), keep });
  return { fake, rules, feed, kept };
}
