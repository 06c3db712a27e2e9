import type { VariantName } from "../../contract/rollout.ts";

/** What `decide` reads of a request. Header names are lower case; values keep their order. */
export interface RequestFacts {
  /** `:authority` as sent; port and upper case are dealt with by `decide`. */
  readonly host: string;
  readonly method: string;
  /** `:path` as sent, with its query. */
  readonly path: string;
  /** Values of one header in order; empty when absent. Cookies are read from `cookie`. */
  headers(name: string): readonly string[];
  /** Address of the downstream connection without its port; undefined when unknown. */
  readonly clientAddress: string | undefined;
  /** Told of a value that was too long for a regular expression, and so met none. */
  overlong?(): void;
}

/** Who asks, as far as a rollout knows. */
export interface Subject {
  /** The bucketing key; undefined without one. */
  readonly key: string | undefined;
  /** Its hash under the rollout's salt, where a target lists users. */
  readonly user: string | undefined;
}

/** Somebody of whom nothing is known: what a match asks is asked before there is a key. */
export const NOBODY: Subject = { key: undefined, user: undefined };

export type Reason = "share" | "target" | "no key" | "no rollout" | "off" | "unwatched";

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
}
