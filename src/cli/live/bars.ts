const LEVELS = "▁▂▃▄▅▆▇█";
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar of so many columns of which a part, 0…1, is filled, to an eighth of a column. */
export function bar(part: number, columns: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, part)) * columns * 8);
  const filled = `${"█".repeat(Math.floor(eighths / 8))}${EIGHTHS[eighths % 8] ?? ""}`;
  return filled.padEnd(columns, "░");
}

/** Values over time, a column each, the last so many: what is tolerated stands in the middle of the height. A null is a gap. */
export function sparkline(values: readonly (number | null)[], tolerated: number, columns: number): string {
  const scale = Math.max(Number.EPSILON, tolerated);
  const shown = values.slice(-columns).map((value) => {
    if (value === null) return " ";
    const level = Math.floor((value / scale) * (LEVELS.length / 2));
    return LEVELS[Math.min(LEVELS.length - 1, Math.max(0, level))] ?? "";
  });
  return shown.join("");
}
