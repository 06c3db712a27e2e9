/** `5 %`, from basis points. */
export const share = (bp: number | null | undefined): string =>
  bp === null || bp === undefined ? "–" : `${Number((bp / 100).toFixed(2))} %`;

/** `0.31 %`, from a ratio. */
export const ratio = (value: number | null): string => (value === null ? "–" : `${(value * 100).toFixed(2)} %`);

/** `0.31`, from a value that is no ratio; three figures are enough. */
export const figure = (value: number | null): string => (value === null ? "–" : String(Number(value.toPrecision(3))));

/** `3 min 20 s`, from milliseconds; the two largest units, of which nothing is said where it is 0. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1_000));
  if (s < 60) return `${s} s`;
  if (s < 3_600) return inUnits(Math.floor(s / 60), "min", s % 60, "s");
  if (s < 86_400) return inUnits(Math.floor(s / 3_600), "h", Math.floor((s % 3_600) / 60), "min");
  return inUnits(Math.floor(s / 86_400), "d", Math.floor((s % 86_400) / 3_600), "h");
}

const inUnits = (...[large, unit, small, rest]: [number, string, number, string]): string =>
  small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${rest}`;

/** Odds for people: two figures are enough. */
export const odds = (value: number): string => `${value >= 100 ? Math.round(value) : Number(value.toFixed(1))} : 1`;

/** Rows in columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
