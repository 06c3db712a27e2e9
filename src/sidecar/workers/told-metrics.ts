import type { FromWorker, WorkerMetrics } from "./messages.ts";

/** Answers of one worker that come in parts, also those that nobody waits for any more. */
export interface ToldMetrics {
  /** All that the answer holds, once its last part is there. */
  add(part: Extract<FromWorker, { type: "metrics" }>): WorkerMetrics | undefined;
  /** Forgets what has begun: its process is dead. */
  clear(): void;
}

export function createToldMetrics(): ToldMetrics {
  const begun = new Map<number, WorkerMetrics[number][]>();
  return {
    add({ request, metrics, isLast }) {
      const all = begun.get(request) ?? [];
      all.push(...metrics);
      if (isLast) begun.delete(request);
      else begun.set(request, all);
      return isLast ? all : undefined;
    },
    clear: () => begun.clear(),
  };
}
