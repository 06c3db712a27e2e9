import { isIP } from "node:net";
import type { RequestFacts } from "../../core/decide/types.ts";
import type { HeaderValue, ProcessingRequest } from "./messages.ts";

const FILTER = "envoy.filters.http.ext_proc";
const NONE: readonly string[] = [];

/** What `decide` reads, taken from the request headers that Envoy sent; values are decoded only when a rule asks. */
export function requestFacts(message: ProcessingRequest): RequestFacts {
  const headers = message.requestHeaders?.headers?.headers ?? [];
  const values = (name: string): readonly string[] => {
    const found = headers.filter((header) => header.key === name);
    return found.length === 0 ? NONE : found.map(text);
  };
  return {
    host: values(":authority")[0] ?? values("host")[0] ?? "",
    path: values(":path")[0] ?? "/",
    headers: values,
    // Only worked out where a rule asks.
    get clientAddress() {
      return clientAddress(message);
    },
  };
}

/** Envoy fills `raw_value` since 1.29 and `value` before. */
function text({ rawValue, value }: HeaderValue): string {
  return rawValue !== undefined && rawValue.length > 0 ? Buffer.from(rawValue).toString("utf8") : (value ?? "");
}

/** Address of the downstream connection from the attribute `source.address`, which is `ip:port` or `[ip]:port`. */
function clientAddress({ attributes }: ProcessingRequest): string | undefined {
  const source = attributes?.[FILTER]?.fields?.["source.address"]?.stringValue;
  if (source === undefined) return undefined;
  const bracket = source.lastIndexOf("]");
  const colon = source.lastIndexOf(":");
  const address = bracket !== -1 ? source.slice(source.indexOf("[") + 1, bracket) : colon === -1 ? source : source.slice(0, colon);
  // The path of a Unix socket is everyone's, so it is no key.
  return isIP(address) === 0 ? undefined : address;
}
