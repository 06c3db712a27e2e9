import { isIP } from "node:net";
import type { RawDecision, RawEntry } from "../../src/sidecar/wire/raw-entry.ts";

/** A decoded message, as the reference decoder gives it. */
type Decoded = Readonly<Record<string, unknown>>;

/** What the sidecar takes from a `ProcessingRequest`, read the plain way. */
export function plainFacts(message: Decoded) {
  const { request, requestHeaders, attributes, metadataContext } = Object(message);
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
    method: values(":method")[0] ?? "",
    isSession: headers.some(({ key }) => key === "upgrade"),
    headers: names.map((name) => [name, values(name)] as const),
    claims: CLAIM_PATHS.map((path) => claimsIn(metadataContext, path)),
    clientAddress: addressIn(attributes?.["envoy.filters.http.ext_proc"]?.fields?.["source.address"]?.stringValue),
  };
}

/** Claims that the comparison asks for. */
export const CLAIM_PATHS: readonly (readonly string[])[] = [["sub"], ["inner", "roles"], ["inner"], ["level"]];

function claimsIn(metadata: unknown, path: readonly string[]): string[] {
  const own = (fields: unknown, name: string): unknown => (Object.hasOwn(Object(fields), name) ? Object(fields)[name] : undefined);
  const [verified, key, ...rest] = [Object(metadata).filterMetadata, "serin", ...path];
  let at: unknown = own(Object(own(verified, "envoy.filters.http.jwt_authn")).fields, key);
  for (const name of rest) at = own(Object(Object(at).structValue).fields, name);
  const scalar = textIn(at);
  if (scalar !== undefined) return [scalar];
  const items: unknown[] = Object(Object(at).listValue).values ?? [];
  return items.flatMap((item) => textIn(item) ?? []);
}

function textIn(value: unknown): string | undefined {
  const { stringValue, numberValue, boolValue } = Object(value);
  return stringValue ?? (numberValue ?? boolValue)?.toString();
}

function addressIn(source: string | undefined): string | undefined {
  const bracketed = source?.match(/^\[(.*)\][^\]]*$/s)?.[1];
  const address = bracketed ?? source?.replace(/:[^:]*$/s, "");
  return address === undefined || isIP(address) === 0 ? undefined : address;
}

/** The entries of a `StreamAccessLogsMessage`, read the plain way; enums are numbers, and the parity of bytes is not known. */
export function plainEntries(message: Decoded): RawEntry[] {
  const entries: unknown[] = Object(message).httpLogs?.logEntry ?? [];
  return entries.map((entry) => {
    const { commonProperties: common = {}, response = {} } = Object(entry);
    const flags = Object.entries(common.responseFlags ?? {}).flatMap(([name, isSet]) => (isSet === true ? [name] : []));
    return {
      type: common.accessLogType ?? 0,
      decision: decisionIn(common.metadata?.filterMetadata),
      upstreamCluster: common.upstreamCluster ?? "",
      hasUpstreamAddress: common.upstreamRemoteAddress !== undefined,
      isOddAddress: false,
      attempts: common.upstreamRequestAttemptCount ?? 0,
      flags: flags.toSorted(),
      durationMs: milliseconds(common.duration),
      firstUpstreamTxMs: milliseconds(common.timeToFirstUpstreamTxByte),
      lastUpstreamRxMs: milliseconds(common.timeToLastUpstreamRxByte),
      firstDownstreamTxMs: milliseconds(common.timeToFirstDownstreamTxByte),
      responseCode: response.responseCode?.value ?? 0,
      headerStatus: ownText(response.responseHeaders, "grpc-status"),
      trailerStatus: ownText(response.responseTrailers, "grpc-status"),
    };
  });
}

function decisionIn(filters: unknown): RawDecision | undefined {
  if (!Object.hasOwn(Object(filters), "serin")) return undefined;
  const fields: Record<string, { stringValue?: string; numberValue?: number }> = Object(filters).serin.fields ?? {};
  const text = (name: string): string | undefined => (Object.hasOwn(fields, name) ? fields[name]?.stringValue : undefined);
  return {
    variant: text("variant"),
    rollout: text("rollout"),
    run: text("run"),
    control: text("control"),
    cluster: text("cluster"),
    session: text("session"),
    also: text("also"),
    // What is not a number is no bucket.
    bucket: Number.isNaN(fields["bucket"]?.numberValue) ? undefined : fields["bucket"]?.numberValue,
  };
}

const milliseconds = (duration: { seconds?: number; nanos?: number } | undefined): number | undefined =>
  duration === undefined ? undefined : (duration.seconds ?? 0) * 1_000 + (duration.nanos ?? 0) / 1_000_000;

const ownText = (map: unknown, key: string): string | undefined => (Object.hasOwn(Object(map), key) ? Object(map)[key] : undefined);
