/** Texts of the fenced blocks of a page that begin with this fence, like `yaml rollout`; those in a list are indented. */
export const blocksOf = (page: string, fence: string): string[] =>
  [...page.matchAll(new RegExp(`^ *\`\`\`${fence}\n(.*?)^ *\`\`\``, "gms"))].map(([, text = ""]) => text);

/** Of a rollout, for excerpts that show some of its fields. */
export const ROLLOUT_HEAD = [
  "apiVersion: serin/v1",
  "kind: Rollout",
  "name: checkout",
  "key: [{ header: x-user-id }]",
  "variants: { stable: { cluster: v1 }, canary: { cluster: v2 } }",
  "strategy: { use: fast }",
  "",
].join("\n");
