import { PATTERNS } from "../../contract/rollout.ts";
import type { Decision } from "../../core/decide/types.ts";
import type { Decided } from "../attribution.ts";
import { parseAlso } from "./also.ts";

/**
 * A decision as one text in Envoy's metadata, for logs of lines: `bucket:marks:run:variant:rollout:cluster`. The bucket is eight hex
 * digits, `--------` without one; the marks are `c` for control and `s` for a session, `-` for neither. Without a rollout its name is
 * empty, and so is the cluster without one, which else is percent-encoded: it may hold anything.
 */
const DIGITS = 8;
const NO_BUCKET = "-".repeat(DIGITS);

/** The text with zeros for the bucket, which stands first. */
export function outcomeText({ bucket, control, run, variant, rollout }: Decision, cluster: string | undefined, isSession: boolean): string {
  const marks = (control ? "c" : "-") + (isSession ? "s" : "-");
  const first = bucket === undefined ? NO_BUCKET : "0".repeat(DIGITS);
  return [first, marks, run, variant, rollout ?? "", encodeURIComponent(cluster ?? "")].join(":");
}

/** More decisions than rules in force have, but for their buckets; where there are more, they are read anew. */
const MOST_KNOWN = 10_000;
const RUN = /^\d{1,16}$/;
const MARKS = /^[c-][s-]$/;

/** Reads such texts; what is the same for many requests is read once. */
export class OutcomeReader {
  readonly #known = new Map<string, Decided>();

  /** With the text about rollouts that only set tags, if there is one. Throws on what no sidecar writes. */
  read(text: string, also: string | undefined): Decided {
    const rest = text.slice(DIGITS);
    let decided = this.#known.get(rest);
    if (decided === undefined) {
      decided = parse(rest, text);
      if (this.#known.size >= MOST_KNOWN) this.#known.clear();
      this.#known.set(rest, decided);
    }
    const bucket = text.startsWith(NO_BUCKET) ? undefined : bucketIn(text);
    // Each by its name, which is faster than a copy of the whole.
    const { variant, rollout, run, control, cluster, isSession } = decided;
    return { variant, rollout, run, control, cluster, bucket, isSession, also: parseAlso(also) };
  }
}

/** The bucket with which a text begins; without a copy of its digits. */
function bucketIn(text: string): number {
  let bucket = 0;
  for (let at = 0; at < DIGITS; at += 1) {
    const code = text.charCodeAt(at);
    const digit = code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : Number.NaN;
    bucket = bucket * 16 + digit;
  }
  if (Number.isNaN(bucket)) throw unknown(text);
  return bucket;
}

function parse(rest: string, text: string): Decided {
  const [empty, marks = "", run = "", variant = "", rollout = "", cluster, ...more] = rest.split(":");
  const isSound =
    empty === "" &&
    MARKS.test(marks) &&
    RUN.test(run) &&
    Number.isSafeInteger(Number(run)) &&
    PATTERNS.variant.test(variant) &&
    (rollout === "" || PATTERNS.name.test(rollout)) &&
    cluster !== undefined &&
    more.length === 0;
  if (!isSound) throw unknown(text);
  return {
    variant,
    rollout: rollout === "" ? undefined : rollout,
    run: Number(run),
    control: marks.startsWith("c"),
    cluster: cluster === "" ? undefined : decodeURIComponent(cluster),
    bucket: undefined,
    isSession: marks.endsWith("s"),
    also: [],
  };
}

const unknown = (text: string): Error => new Error(`no sidecar writes the outcome ${JSON.stringify(text.slice(0, 200))}`);
