import { METADATA_NAMESPACE, MIRROR_HEADER } from "../../contract/names.ts";
import { BAGGAGE } from "../../core/decide/baggage.ts";
import type { CompiledRules } from "../../core/decide/compile.ts";
import { revisionText, type Tag, tagsOf } from "../../core/decide/tags.ts";
import type { Decision } from "../../core/decide/types.ts";
import { NOWHERE, type NumberPlaces } from "../h2/prepared.ts";
import { alsoText } from "./also.ts";
import { outcomeText } from "./outcome.ts";
import { KIND, type Kind } from "./request.ts";
import { doubleField, lengthField, varintField } from "./writer.ts";

/** Numbers of fields of `ProcessingResponse` and what it holds (external_processor.proto, base.proto, struct.proto). */
const DYNAMIC_METADATA = 8;
const COMMON_RESPONSE = { headerMutation: 2, clearRouteCache: 5 } as const;
const HEADER_MUTATION = { set: 1, remove: 2 } as const;
const HEADER_OPTION = { header: 1, appendAction: 3 } as const;
const HEADER_VALUE = { key: 1, rawValue: 3 } as const;
const OVERWRITE_IF_EXISTS_OR_ADD = 2;
const VALUE = { number: 2, string: 3, struct: 5, list: 6 } as const;

const EMPTY = Buffer.alloc(0);

/** A `ProcessingResponse` as bytes, and what is written over before it goes out. */
export interface Answer {
  readonly bytes: Buffer;
  /** Where the bucket stands, as a double and as text. */
  readonly bucketPlaces: NumberPlaces;
  /** Where the text about toggles stands, -1 without any. */
  readonly alsoAt: number;
  /** How many headers it sets. */
  readonly sets: number;
}

/** What an answer tells. */
export interface Answered {
  readonly decision: Decision;
  /** Of rollouts that only set tags. */
  readonly toggles: readonly Decision[];
  /** The request asks for another protocol. */
  readonly isSession: boolean;
  /** What the header `baggage` becomes; "" takes it away, undefined leaves it as it is. */
  readonly baggage: string | undefined;
  /** Leaves out tags and mirror, for which a request has no room. */
  readonly isBare?: boolean;
}

/** The answer to request headers, with 0 for each bucket. */
export function decisionAnswer({ decision, toggles, isSession, baggage, isBare = false }: Answered, rules: CompiledRules): Answer {
  const { variant, rollout, run, bucket, reason, control } = decision;
  const mirror = isBare ? undefined : decision.mirror;
  const governing = rollout === undefined ? undefined : rules.rollouts.get(rollout);
  const variants = governing?.variants;
  const stable = variants?.stable.cluster ?? "stable";
  const cluster = variants?.[variant]?.cluster;
  const outcome = outcomeText(decision, cluster, isSession);
  const also = alsoText(toggles);
  const alsoField = also === "" ? EMPTY : text("also", also);
  const bucketField = bucket === undefined ? EMPTY : entry("bucket", doubleField(VALUE.number, 0));
  const fields = [
    text("variant", variant),
    text("revision", revisionText(rules)),
    text("reason", reason),
    entry("priority_groups", groups(cluster === undefined || cluster === stable ? [stable] : [cluster, stable])),
    ...(rollout === undefined ? [] : [text("rollout", rollout), text("run", String(run)), text("control", String(control))]),
    ...(cluster === undefined ? [] : [text("cluster", cluster)]),
    ...(isSession ? [text("session", "true")] : []),
    ...(governing?.statics.mirror === undefined ? [] : [text("mirrored", String(mirror !== undefined))]),
    // Last, so that the places of their buckets are known from the end.
    text("outcome", outcome),
    alsoField,
    bucketField,
  ];
  const serin = entry(METADATA_NAMESPACE, lengthField(VALUE.struct, Buffer.concat(fields)));
  // Of two that set the same header the last one stays, and toggles stand in the order of their names.
  const headers: Tag[] = isBare ? [] : [decision, ...toggles].flatMap((each) => tagsOf(each, rules));
  if (mirror !== undefined) headers.push([MIRROR_HEADER, mirror]);
  if (baggage !== undefined && baggage !== "") headers.push([BAGGAGE, baggage]);
  const removed = baggage === "" ? lengthField(HEADER_MUTATION.remove, BAGGAGE) : EMPTY;
  const mutation = Buffer.concat([setHeaders(headers), removed]);
  const bytes = Buffer.concat([lengthField(1, lengthField(1, continueWith(mutation))), lengthField(DYNAMIC_METADATA, serin)]);
  const digitsAt = bytes.length - bucketField.length - alsoField.length - outcome.length;
  return {
    bytes,
    bucketPlaces: bucket === undefined ? NOWHERE : { numberAt: bytes.length - Float64Array.BYTES_PER_ELEMENT, digitsAt },
    // The last of its kind: a tag may hold the same text.
    alsoAt: also === "" ? -1 : bytes.lastIndexOf(also),
    sets: headers.length,
  };
}

/** A `CommonResponse` that goes on. Without a header mutation Envoy ignores `clear_route_cache`; an empty one does. */
const continueWith = (mutation: Buffer): Buffer =>
  Buffer.concat([lengthField(COMMON_RESPONSE.headerMutation, mutation), varintField(COMMON_RESPONSE.clearRouteCache, 1)]);

const setHeaders = (headers: readonly Tag[]): Buffer =>
  Buffer.concat(
    headers.map(([key, value]) => {
      const header = Buffer.concat([lengthField(HEADER_VALUE.key, key), lengthField(HEADER_VALUE.rawValue, value)]);
      return lengthField(
        HEADER_MUTATION.set,
        Buffer.concat([lengthField(HEADER_OPTION.header, header), varintField(HEADER_OPTION.appendAction, OVERWRITE_IF_EXISTS_OR_ADD)]),
      );
    }),
  );

/** An entry of a `Struct`. */
const entry = (key: string, value: Buffer): Buffer => lengthField(1, Buffer.concat([lengthField(1, key), lengthField(2, value)]));
const text = (key: string, value: string): Buffer => entry(key, lengthField(VALUE.string, value));

/** Clusters in the order in which Envoy should try them, as names of priority groups: the variant's own first, stable as the way out. */
const groups = (clusters: readonly string[]): Buffer =>
  lengthField(VALUE.list, Buffer.concat(clusters.map((name) => lengthField(1, lengthField(VALUE.struct, text("name", name))))));

/** The answer to a message that is not about request headers: go on. Undefined for a kind that this version does not know. */
export function passAnswer(kind: Kind): Buffer | undefined {
  switch (kind) {
    case KIND.requestHeaders:
      return lengthField(1, lengthField(1, continueWith(EMPTY)));
    case KIND.responseHeaders:
    case KIND.requestBody:
    case KIND.responseBody:
      // A `HeadersResponse` or `BodyResponse` whose status is CONTINUE, which is 0.
      return lengthField(kind - 1, lengthField(1, EMPTY));
    case KIND.requestTrailers:
    case KIND.responseTrailers:
      return lengthField(kind - 1, EMPTY);
    case KIND.none:
      return undefined;
  }
}
