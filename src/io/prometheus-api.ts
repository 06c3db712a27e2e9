import * as z from "zod";
import { SerinError } from "../contract/errors.ts";
import { EXIT } from "../contract/exit-codes.ts";
import { readBounded } from "./bounded-body.ts";

/** One series of an answer: label values by name, and points as [Unix milliseconds, value], oldest first; a value may be NaN or infinite. */
export interface PrometheusSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [atMs: number, value: number])[];
}

/** The two questions that are asked of a Prometheus-compatible server (its HTTP API, version 1). Both throw PrometheusError. */
export interface PrometheusApi {
  /** The value of an expression at `atMs`, the server's present when absent; a scalar is one series without labels. */
  instant(query: string, atMs?: number): Promise<readonly PrometheusSeries[]>;
  /** Its values from `fromMs` to `toMs`, both included, each `stepMs`; servers give at most 11,000 points a series. */
  range(query: string, span: Readonly<{ fromMs: number; toMs: number; stepMs: number }>): Promise<readonly PrometheusSeries[]>;
}

export interface PrometheusOptions {
  /** `http://host:port`, with the path in front of `/api/v1` where there is one. */
  readonly url: string;
  /** Sent with each question, like `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest wait for a whole answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Longest answer that is read; 64 MiB when absent. */
  readonly maxBytes?: number;
  /** Ends questions early. */
  readonly signal?: AbortSignal;
}

/** A server that does not answer as Prometheus does (`PROMETHEUS_UNAVAILABLE`), or that refuses the query (`QUERY_INVALID`). */
export class PrometheusError extends SerinError {
  override readonly name = "PrometheusError";
  declare readonly code: "PROMETHEUS_UNAVAILABLE" | "QUERY_INVALID";
  constructor(code: PrometheusError["code"], message: string, options?: ErrorOptions) {
    super(code, code === "QUERY_INVALID" ? EXIT.usage : EXIT.timedOut, message, options);
  }
}

/** An hour of a thousand series at one point a second is a few times less. */
const MAX_BYTES = 64 * 1_024 * 1_024;

/** `+Inf` and `-Inf` are Go's words. */
const numberOf = (text: string): number => Number(text.replace("Inf", "Infinity"));

const PointSchema = z.tuple([z.number(), z.string()]).transform(([atS, value]) => [Math.round(atS * 1_000), numberOf(value)] as const);
const LabelsSchema = z.record(z.string(), z.string());

const DataSchema = z.discriminatedUnion("resultType", [
  z.object({ resultType: z.literal("vector"), result: z.array(z.object({ metric: LabelsSchema, value: PointSchema })) }),
  z.object({ resultType: z.literal("matrix"), result: z.array(z.object({ metric: LabelsSchema, values: z.array(PointSchema) })) }),
  z.object({ resultType: z.literal("scalar"), result: PointSchema }),
]);
const SuccessSchema = z.object({ status: z.literal("success"), data: DataSchema });
const RefusalSchema = z.object({ status: z.literal("error"), errorType: z.string(), error: z.string() });

/** What the server means by these is the author's to mend; the others are the server's own troubles. */
const OF_QUERY: ReadonlySet<string> = new Set(["bad_data", "execution"]);

/** A client that keeps nothing open. Throws PrometheusError when the address is none. */
export function createPrometheusApi({ url, ...options }: PrometheusOptions): PrometheusApi {
  const base = baseOf(url);
  const ask = async (path: string, form: Readonly<Record<string, string>>): Promise<readonly PrometheusSeries[]> => {
    const text = await answerTo(`${base}/api/v1/${path}`, form, options);
    return seriesIn(text, base, form["query"] ?? "");
  };
  return {
    instant: (query, atMs) => ask("query", { query, ...(atMs !== undefined && { time: String(atMs / 1_000) }) }),
    range: (query, { fromMs, toMs, stepMs }) =>
      ask("query_range", { query, start: String(fromMs / 1_000), end: String(toMs / 1_000), step: String(stepMs / 1_000) }),
  };
}

/** Without what could be secret: credentials in an address would stand in every error. */
function baseOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
    throw unavailable("the address of Prometheus", "is not one", "write it like http://prometheus:9090");
  if (parsed.username !== "" || parsed.password !== "" || parsed.search !== "" || parsed.hash !== "")
    throw unavailable(parsed.origin, "has more than a place in its address", "give credentials as a header, and no query");
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, "")}`;
}

async function answerTo(
  address: string,
  form: Readonly<Record<string, string>>,
  { headers = {}, timeoutMs, maxBytes = MAX_BYTES, signal: ending }: Omit<PrometheusOptions, "url">,
): Promise<string> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = ending === undefined ? timeout : AbortSignal.any([timeout, ending]);
  try {
    // By POST, for which a query may be of any length; and not where an answer points to, which could be any place that this program reaches.
    const response = await fetch(address, { method: "POST", headers, body: new URLSearchParams(form), redirect: "manual", signal });
    const text = await readBounded(response, maxBytes);
    if (response.status < 300 || response.status >= 400) return text;
  } catch (cause) {
    if (timeout.aborted)
      throw unavailable(address, `no answer in ${timeoutMs} ms`, "see whether it is overloaded, or allow more time", cause);
    throw unavailable(address, reasonOf(cause), "see whether it runs and can be reached from here", cause);
  }
  throw unavailable(address, "points to another address, which is not followed", "write the one where Prometheus itself answers");
}

/** `fetch` says only that it failed, and keeps the reason as the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
}

const unavailable = (where: string, what: string, fix: string, cause?: unknown): PrometheusError =>
  new PrometheusError("PROMETHEUS_UNAVAILABLE", `${where}: ${what}; ${fix}`, { cause });

function seriesIn(text: string, base: string, query: string): readonly PrometheusSeries[] {
  const value = jsonOf(text);
  const success = SuccessSchema.safeParse(value);
  if (success.success) return seriesOf(success.data.data);
  const refusal = RefusalSchema.safeParse(value);
  if (!refusal.success)
    throw unavailable(
      base,
      "answers, but not as Prometheus does",
      "write the address in front of /api/v1, and let its headers allow queries",
    );
  const { errorType, error } = refusal.data;
  if (OF_QUERY.has(errorType)) throw new PrometheusError("QUERY_INVALID", `${query}: ${base} refuses it: ${error}; correct the query`);
  throw unavailable(base, `${errorType}: ${error}`, "see whether it is overloaded");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: said by the caller, as any other answer that is not Prometheus's.
    return undefined;
  }
}

function seriesOf(data: z.output<typeof DataSchema>): PrometheusSeries[] {
  switch (data.resultType) {
    case "vector":
      return data.result.map(({ metric, value }) => ({ labels: metric, points: [value] }));
    case "matrix":
      return data.result.map(({ metric, values }) => ({ labels: metric, points: values }));
    case "scalar":
      return [{ labels: {}, points: [data.result] }];
  }
}
