import type { IssuedCookie, VariantName } from "../../contract/rollout.ts";

/** What `decide` reads of a request. Header names are lower case; values keep their order. */
export interface RequestFacts {
  /** `:authority` as sent; port and upper case are dealt with by `decide`. */
  readonly host: string;
  readonly method: string;
  /** `:path` as sent, with its query. */
  readonly path: string;
  /** Values of one header in order; empty when absent. Cookies are read from `cookie`. */
  headers(name: string): readonly string[];
  /** Values of a claim of the verified token, by the names that lead to it: texts, numbers and truth values as text, a list as its items. Absent where no token is read. */
  claims?(path: readonly string[]): readonly string[];
  /** Address of the downstream connection without its port; undefined when unknown. */
  readonly clientAddress: string | undefined;
  /** True when the peer of the connection is one whose word on cohorts is believed. */
  readonly isTrustedPeer?: boolean;
  /** The id in the cookie of ours, or a new one that its answer will set; undefined where none can be issued. The same one however often it is asked. */
  issued?(cookie: IssuedCookie): string | undefined;
  /** Told of a value that was too long for a regular expression, and so met none. */
  overlong?(): void;
  /** Told of a segment that a rule asks for and that is not there. */
  unknownSegment?(name: string): void;
}

/** Segments as one request asks for them; an answer is worked out once. */
export interface AskedSegments {
  holds(name: string, request: RequestFacts, key: string | undefined): boolean;
  /** The same, and true where the segment is not known. */
  mayHold(name: string, request: RequestFacts, key: string | undefined): boolean;
}

/** Who asks, as far as a rollout knows. */
export interface Subject {
  /** The bucketing key; undefined without one. */
  readonly key: string | undefined;
  /** Its hash under the rollout's salt, where a target lists users. */
  readonly user: string | undefined;
  /** Where segments can be asked for. */
  readonly segments?: AskedSegments | undefined;
}

/** Somebody of whom nothing is known: what a match asks is asked before there is a key. */
export const NOBODY: Subject = { key: undefined, user: undefined };

export type Reason = "share" | "target" | "cohort" | "no key" | "no rollout" | "off" | "unwatched";

/** The answer for one request, and everything needed to explain it. */
export interface Decision {
  readonly variant: VariantName;
  readonly reason: Reason;
  /** True in the control slice of stable. */
  readonly control: boolean;
  readonly rollout: string | undefined;
  /** 0 without a rollout. */
  readonly run: number;
  /** 32 bits; undefined without a key. */
  readonly bucket: number | undefined;
  /** Where the share ends in the lane of the bucket; in that of the variant that the stages grow where there is no bucket, or no lane of it. */
  readonly threshold: number | undefined;
  readonly target: string | undefined;
  /** Which source gave the key, like `header x-user-id`. */
  readonly keySource: string | undefined;
  /** Cluster that gets a copy of the request. */
  readonly mirror: string | undefined;
}

/** One step of the answer to "why"; raw keys never stand in it. */
export interface ExplainStep {
  readonly step:
    | "host"
    | "path"
    | "match"
    | "rollout"
    | "others"
    | "orders"
    | "off"
    | "key"
    | "segment"
    | "target"
    | "cohort"
    | "share"
    | "mirror"
    | "baggage"
    | "tags"
    | "result"
    | "cut";
  /** The rollout that was considered, where the step is about one. */
  readonly rollout?: string;
  readonly text: string;
}
