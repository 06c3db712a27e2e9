/** A request to the rollout of docs/examples/tags.yaml at a share of 0 %, and the tags that its upstream gets. */
export interface TagRequest {
  readonly title: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

const ofCanary = (target: string): Readonly<Record<string, string>> => ({
  "x-serin-variant": "canary",
  "x-serin-decision": "search/1: target",
  "x-serin-rules": "0.1",
  "x-serin-target": target,
  "x-serin-flags": '{"ranking": "new"}',
});

/** With the rules as a test edge has them: epoch 0, revision 1, run 1. */
export const TAG_REQUESTS: readonly TagRequest[] = [
  { title: "a user of no target", headers: { "x-user-id": "ann" }, tags: { "x-serin-variant": "stable" } },
  { title: "a tester", headers: { "x-user-id": "ann", "x-beta": "1" }, tags: ofCanary("testers") },
  { title: "one of the staff", headers: { "x-user-id": "ann", "x-staff": "yes" }, tags: ofCanary("staff") },
  { title: "a tester without a key", headers: { "x-beta": "1" }, tags: ofCanary("testers") },
];
