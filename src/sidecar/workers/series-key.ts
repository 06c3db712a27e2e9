import type { Attributes, HrTime } from "@opentelemetry/api";

/** Attributes as one string, whatever their order. */
export const seriesKey = (attributes: Attributes): string =>
  JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** The earlier of two times. */
export const earlier = (one: HrTime, other: HrTime): HrTime => (isBefore(other, one) ? other : one);

const isBefore = ([seconds, nanos]: HrTime, [otherSeconds, otherNanos]: HrTime): boolean =>
  seconds < otherSeconds || (seconds === otherSeconds && nanos < otherNanos);
