/** Calls each way to stop, last started first, all of them even when one fails; then throws what failed. */
export async function stopAll(stops: (() => unknown)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const stop of stops.splice(0).toReversed()) {
    try {
      await stop();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join("; "));
}
