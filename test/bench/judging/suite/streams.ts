/** Where requests go: the two halves of stable, and the canary. */
const STREAMS = ["a", "b", "canary"] as const;

export type Stream = (typeof STREAMS)[number];
export type PerStream<Value> = Record<Stream, Value>;

/** A value for each stream. */
export const perStream = <Value>(of: (stream: Stream) => Value): PerStream<Value> => ({ a: of("a"), b: of("b"), canary: of("canary") });

/** Does something for each stream, always in the same order, which the random draws depend on. */
export const forEachStream = (visit: (stream: Stream) => void): void => STREAMS.forEach(visit);
