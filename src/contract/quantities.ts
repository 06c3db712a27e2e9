const SHARE = /^(?<whole>\d{1,3})(?:\.(?<part>\d{1,2}))?%$/;

/** Basis points of a share like `5%` or `0.25%`, 0…10,000; undefined when it is none. */
export function shareBpOf(text: string): number | undefined {
  const groups = SHARE.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const shareBp = Number(groups["whole"]) * 100 + Number((groups["part"] ?? "").padEnd(2, "0"));
  return shareBp <= 10_000 ? shareBp : undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(?<count>\d{1,9})(?<unit>ms|s|m|h|d)$/;

/** Milliseconds of a duration like `250ms`, `30s`, `10m`, `2h` or `7d`; undefined when it is none. */
export function durationMs(text: string): number | undefined {
  const groups = DURATION.exec(text)?.groups;
  if (groups === undefined) return undefined;
  return Number(groups["count"]) * (UNIT_MS[groups["unit"] ?? ""] ?? Number.NaN);
}
