import { PATTERNS } from "../../contract/rollout.ts";
import type { Decision } from "../../core/decide/types.ts";

/**
 * Decisions of rollouts that only set tags, as one text in Envoy's metadata: `name:variant:run:control:bucket`, one after another
 * with a blank between. Control is `c` or `-`; the bucket is eight hex digits, or `-` without one.
 */
export interface Also {
  readonly rollout: string;
  readonly variant: string;
  readonly run: number;
  readonly control: boolean;
  readonly bucket: number | undefined;
}

const DIGITS = 8;
const NO_BUCKET = "-".padEnd(DIGITS, "-");
const ZERO_BUCKET = "0".repeat(DIGITS);

/** The text with zeros for the buckets: equal for all requests that are decided alike. */
export const alsoText = (toggles: readonly Decision[]): string => toggles.map(withoutBucket).join(" ");

const withoutBucket = ({ rollout, variant, run, control, bucket }: Decision): string =>
  `${rollout}:${variant}:${run}:${control ? "c" : "-"}:${bucket === undefined ? NO_BUCKET : ZERO_BUCKET}`;

/** Writes the buckets into a text that stands at `at` in the bytes. */
export function writeBuckets(bytes: Buffer, at: number, toggles: readonly Decision[]): void {
  let end = at;
  for (const toggle of toggles) {
    end += withoutBucket(toggle).length;
    if (toggle.bucket !== undefined) bytes.write(toggle.bucket.toString(16).padStart(DIGITS, "0"), end - DIGITS, "latin1");
    end += 1;
  }
}

const NONE: readonly Also[] = [];

/** Reads such a text as Envoy gives it back; nothing for none. Throws on what no sidecar writes. */
export const parseAlso = (text: string | undefined): readonly Also[] => (text === undefined ? NONE : text.split(" ").map(parseOne));

const RUN = /^\d{1,16}$/;
const BUCKET = /^(?:[0-9a-f]{8}|-{8})$/;

function parseOne(text: string): Also {
  const [rollout = "", variant = "", run = "", control, bucket = "", ...more] = text.split(":");
  const isSound =
    PATTERNS.name.test(rollout) && PATTERNS.variant.test(variant) && RUN.test(run) && BUCKET.test(bucket) && more.length === 0;
  if (!isSound || !Number.isSafeInteger(Number(run))) throw new Error(`no sidecar decides ${text.slice(0, 200)}`);
  return {
    rollout,
    variant,
    run: Number(run),
    control: control === "c",
    bucket: bucket === NO_BUCKET ? undefined : Number.parseInt(bucket, 16),
  };
}
