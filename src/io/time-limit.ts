/**
 * Work that ends after so many milliseconds, or with the signal before. What it is given aborts with "no answer within N s", or with the
 * signal's reason. `AbortSignal.any` would not do: it does not hold its sources, so that a limit that nobody else holds is collected as
 * garbage, and never comes (Node 20.20).
 */
export async function within<Result>(ms: number, signal: AbortSignal, work: (limited: AbortSignal) => Promise<Result>): Promise<Result> {
  signal.throwIfAborted();
  const over = new AbortController();
  const end = (): void => over.abort(signal.reason);
  signal.addEventListener("abort", end, { once: true });
  const timer = setTimeout(() => over.abort(new Error(`no answer within ${ms / 1_000} s`)), ms);
  try {
    return await work(over.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}
