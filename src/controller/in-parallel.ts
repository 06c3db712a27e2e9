/** Questions to NATS that are under way at once: as many as fill the way there and back, and few enough to leave room for the lease. */
const AT_ONCE = 32;

/** Does the same for each of many, some at a time; results in the order of the items. Rejects with the first failure. */
export async function inParallel<Item, Result>(items: Iterable<Item>, work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const all = [...items].map((item, index) => ({ item, index }));
  const results: Result[] = [];
  const rest = all.values();
  const worker = async (): Promise<void> => {
    for (const { item, index } of rest) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, all.length) }, worker));
  return results;
}
