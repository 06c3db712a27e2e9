import type { RolloutDocument } from "../io/documents.ts";

/** Those that others come after go first, else in the order of the files; who waits in a circle stays there, and the leader refuses it. */
export function inOrder(rollouts: readonly RolloutDocument[]): RolloutDocument[] {
  const ordered: RolloutDocument[] = [];
  const take = (document: RolloutDocument, above: readonly RolloutDocument[]): void => {
    if (ordered.includes(document) || above.includes(document)) return;
    for (const name of document.rollout.after ?? []) {
      for (const first of rollouts) if (first.rollout.name === name) take(first, [...above, document]);
    }
    ordered.push(document);
  };
  for (const document of rollouts) take(document, []);
  return ordered;
}
