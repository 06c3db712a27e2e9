import type { StaticMirror } from "../../contract/mirror.ts";
import { murmur3Text, thresholdOf } from "./bucket.ts";
import type { RequestFacts } from "./types.ts";

/** A shadow, ready to decide with. */
export interface CompiledMirror {
  readonly cluster: string;
  readonly shareBp: number;
  /** Apart from the rollout's, so that whose requests are copied says nothing about who is on the canary. */
  readonly seed: number;
  readonly threshold: number;
  readonly methods: ReadonlySet<string>;
}

/** Compiles a shadow under the seed of its rollout's salt. */
export const compileMirror = ({ cluster, shareBp, methods }: StaticMirror, seed: number): CompiledMirror => ({
  cluster,
  shareBp,
  seed: murmur3Text("mirror", seed),
  threshold: thresholdOf(shareBp),
  methods: new Set(methods),
});

/** Why a request is copied or not. A session is not: its copy would have nobody to talk to. */
export type MirrorVerdict = "copied" | "method" | "session" | "no key" | "share";

/** Judges one request of a user, or of somebody without a key. */
export function mirrorVerdict(mirror: CompiledMirror, request: RequestFacts, key: string | undefined): MirrorVerdict {
  if (!mirror.methods.has(request.method)) return "method";
  if (request.headers("upgrade").length > 0) return "session";
  if (key === undefined) return "no key";
  return murmur3Text(key, mirror.seed) < mirror.threshold ? "copied" : "share";
}
