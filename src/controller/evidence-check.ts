import { type Evidence, EvidenceSchema } from "../contract/evidence.ts";

/**
 * An evidence message as its schema gives it. The form in which sidecars write is looked at here, in a tenth of the time that the schema takes; any other
 * is the schema's business. Throws where that refuses it.
 */
export const readEvidence = (message: unknown): Evidence => (isPlain(message) ? message : EvidenceSchema.parse(message));

/** True means that the schema takes it and changes nothing that is read. */
const isPlain = (message: unknown): message is Evidence => isList(at(message, "resourceMetrics"), isResource, 1);

const isResource = (value: unknown): boolean =>
  isList(at(at(value, "resource"), "attributes"), isAttribute) &&
  isList(at(value, "scopeMetrics"), (scope) => isList(at(scope, "metrics"), isMetric));

const isMetric = (metric: unknown): boolean => {
  const [sum, histogram] = [at(metric, "sum"), at(metric, "histogram")];
  return (
    typeof at(metric, "name") === "string" &&
    at(metric, "gauge") === undefined &&
    (sum === undefined || (isCumulative(sum) && typeof at(sum, "isMonotonic") === "boolean" && isList(at(sum, "dataPoints"), isNumber))) &&
    (histogram === undefined || (isCumulative(histogram) && isList(at(histogram, "dataPoints"), isHistogram)))
  );
};

const isCumulative = (value: unknown): boolean => at(value, "aggregationTemporality") === 2;

const isNumber = (point: unknown): boolean => isStamped(point) && isWhole(at(point, "asInt")) && at(point, "asDouble") === undefined;

const isHistogram = (point: unknown): boolean => {
  const sum = at(point, "sum");
  return (
    isStamped(point) &&
    (sum === undefined || typeof sum === "number") &&
    isCount(at(point, "count")) &&
    isList(at(point, "bucketCounts"), isCount) &&
    isList(at(point, "explicitBounds"), (bound) => typeof bound === "number")
  );
};

const isStamped = (point: unknown): boolean =>
  isList(at(point, "attributes"), isAttribute) && isDigits(at(point, "startTimeUnixNano")) && isDigits(at(point, "timeUnixNano"));

const isAttribute = (attribute: unknown): boolean => {
  const value = at(attribute, "value");
  const [text, int] = [at(value, "stringValue"), at(value, "intValue")];
  return (
    typeof at(attribute, "key") === "string" &&
    (text === undefined || typeof text === "string") &&
    (int === undefined || typeof int === "string" || typeof int === "number") &&
    (text !== undefined || int !== undefined) &&
    at(value, "boolValue") === undefined &&
    at(value, "doubleValue") === undefined
  );
};

const isList = (value: unknown, isItem: (item: unknown) => boolean, least = 0): boolean =>
  Array.isArray(value) && value.length >= least && value.every(isItem);

const DIGITS = /^\d+$/;
const isDigits = (value: unknown): boolean => typeof value === "string" && DIGITS.test(value);

const isCount = (value: unknown): boolean => (typeof value === "number" && value >= 0) || isDigits(value);

const isWhole = (value: unknown): boolean => typeof value === "number" || isDigits(value);

/** A field of what may be no object at all. */
const at = (value: unknown, field: string): unknown =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[field] : undefined; // Any object has fields by name.
