import { isIP } from "node:net";
import type { HttpAccessLogEntry } from "../../src/sidecar/wire/access-log.ts";

/** A decoded message, as the reference decoder gives it. */
type Decoded = Readonly<Record<string, unknown>>;

/** What the sidecar takes from a `ProcessingRequest`, read the plain way. */
export function plainFacts(message: Decoded) {
  const { request, requestHeaders, attributes } = Object(message);
  const headers: { key?: string; value?: string; rawValue?: Uint8Array }[] = requestHeaders?.headers?.headers ?? [];
  const values = (name: string): string[] =>
    headers
      .filter(({ key = "" }) => key === name)
      .map(({ rawValue, value = "" }) => (rawValue !== undefined && rawValue.length > 0 ? Buffer.from(rawValue).toString("utf8") : value));
  // Names in rules are ASCII, as in HTTP.
  const names = [...new Set(headers.map(({ key = "" }) => key))].filter((name) => /^[!-~]*$/.test(name));
  return {
    kind: request,
    host: values(":authority")[0] ?? values("host")[0] ?? "",
    path: values(":path")[0] ?? "/",
    headers: names.map((name) => [name, values(name)] as const),
    clientAddress: addressIn(attributes?.["envoy.filters.http.ext_proc"]?.fields?.["source.address"]?.stringValue),
  };
}

function addressIn(source: string | undefined): string | undefined {
  const bracketed = source?.match(/^\[(.*)\][^\]]*$/s)?.[1];
  const address = bracketed ?? source?.replace(/:[^:]*$/s, "");
  return address === undefined || isIP(address) === 0 ? undefined : address;
}

/** The parts of the entries of a `StreamAccessLogsMessage` that the sidecar keeps, cut out the plain way; enums are numbers. */
export function plainEntries(message: Decoded): HttpAccessLogEntry[] {
  const entries: unknown[] = Object(message).httpLogs?.logEntry ?? [];
  return entries.map((entry) => {
    const { commonProperties, response } = Object(entry);
    return defined({ commonProperties: commonProperties && common(commonProperties), response: response && answer(response) });
  });
}

const common = (properties: Record<string, unknown>): object =>
  defined({
    ...pick(properties, ["duration", "timeToFirstUpstreamTxByte", "timeToLastUpstreamRxByte", "accessLogType", "upstreamCluster"]),
    ...pick(properties, ["upstreamRequestAttemptCount"]),
    responseFlags: properties["responseFlags"] && { ...properties["responseFlags"], ...unauthorized(properties["responseFlags"]) },
    upstreamRemoteAddress: properties["upstreamRemoteAddress"] && {},
    metadata: properties["metadata"] && metadata(Object(properties["metadata"]).filterMetadata),
  });

const unauthorized = (flags: unknown): object => (Object(flags).unauthorizedDetails === undefined ? {} : { unauthorizedDetails: {} });

const answer = (response: Record<string, unknown>): object =>
  defined({
    responseCode: response["responseCode"],
    responseHeaders: entryOf(response["responseHeaders"], "grpc-status"),
    responseTrailers: entryOf(response["responseTrailers"], "grpc-status"),
  });

const metadata = (filters: unknown): object => {
  const serin = Object(filters).serin;
  if (serin === undefined) return {};
  const fields = Object.entries(Object(serin).fields ?? {}).filter(([name]) => DECISION.includes(name));
  const values = fields.map(([name, value]) => [name, valueOf(value)] as const);
  return { filterMetadata: new Map([["serin", fields.length === 0 ? {} : { fields: new Map(values) }]]) };
};

const DECISION = ["variant", "rollout", "run", "control", "cluster", "bucket"];

function valueOf(value: unknown): object {
  const { structValue } = Object(value);
  const fields = Object.entries(Object(structValue).fields ?? {}).filter(([name]) => DECISION.includes(name));
  const inner = fields.map(([name, each]) => [name, valueOf(each)] as const);
  return defined({
    ...pick(Object(value), ["stringValue", "numberValue"]),
    structValue: structValue && (inner.length === 0 ? {} : { fields: new Map(inner) }),
  });
}

const entryOf = (map: unknown, key: string): Map<string, string> | undefined =>
  Object.hasOwn(Object(map), key) ? new Map([[key, Object(map)[key]]]) : undefined;

const pick = (from: Record<string, unknown>, names: readonly string[]): object =>
  Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]));

const defined = (object: object): object => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
