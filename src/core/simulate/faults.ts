import { durationMs } from "../../contract/quantities.ts";

/** What a canary does worse than stable. */
export interface Fault {
  /** As it was written. */
  readonly text: string;
  /** Milliseconds from the begin of the rollout until it shows. */
  readonly fromMs: number;
  /** Part of the canary's requests that fail, and of stable's where the fault says it; 0…1. */
  readonly failing?: Readonly<{ stable: number | undefined; canary: number }>;
  /** How many times as long requests take. */
  readonly slower?: number;
}

/** A fault, or what is wrong with its text and how to put it right. */
export type ReadFault = Readonly<{ fault: Fault } | { problem: string; fix: string }>;

const FORMS = '"errors 0.5%->2%", "latency +30%", "latency x2" or "dead", each with " from 10m" when it begins late';

const WHOLE = /^(?<what>.+?)(?:\s+from\s+(?<from>\S+))?$/;
const ERRORS = /^errors\s+(?<stable>\d+(?:\.\d+)?)%\s*(?:→|->)\s*(?<canary>\d+(?:\.\d+)?)%$/;
const LATENCY = /^latency\s+(?:\+(?<percent>\d+(?:\.\d+)?)%|[x×](?<times>\d+(?:\.\d+)?))$/;

/** Reads `errors A→B`, `latency +30%`, `latency x2` or `dead`, with `from 10m` for one that begins late. */
export function readFault(text: string): ReadFault {
  const { what = "", from } = WHOLE.exec(text.trim())?.groups ?? {};
  const fromMs = from === undefined ? 0 : durationMs(from);
  if (fromMs === undefined) return { problem: `"${from}" is not a duration`, fix: "write a whole number and ms, s, m, h or d, like 10m" };
  if (what === "dead") return { fault: { text, fromMs, failing: { stable: undefined, canary: 1 } } };
  const errors = ERRORS.exec(what)?.groups;
  if (errors !== undefined) return readErrors(text, fromMs, [Number(errors["stable"]), Number(errors["canary"])]);
  const latency = LATENCY.exec(what)?.groups;
  if (latency === undefined) return { problem: "not a fault", fix: `write ${FORMS}` };
  const { percent, times } = latency;
  const slower = times === undefined ? 1 + Number(percent) / 100 : Number(times);
  if (slower <= 1) return { problem: "not slower than stable", fix: "write more than +0% or x1" };
  return { fault: { text, fromMs, slower } };
}

function readErrors(text: string, fromMs: number, [stable, canary]: readonly [number, number]): ReadFault {
  if (canary > 100) return { problem: `${canary}% is more than all requests`, fix: "write at most 100%" };
  if (canary <= stable)
    return { problem: `${canary}% is not more than the ${stable}% before`, fix: "write what stable fails, then what the canary fails" };
  return { fault: { text, fromMs, failing: { stable: stable / 100, canary: canary / 100 } } };
}
