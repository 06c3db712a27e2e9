/**
 * The same with every instant so much earlier, so that a clock that was ahead holds up nobody: names of instants end in `Ms`, and what lasts
 * is called `ms` alone.
 */
export const earlier = <Value>(value: Value, byMs: number): Value => shifted(value, byMs) as Value; // Nothing but numbers changes.

function shifted(value: unknown, byMs: number): unknown {
  if (Array.isArray(value)) return value.map((each) => shifted(each, byMs));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => {
    const isInstant = typeof each === "number" && key.endsWith("Ms");
    return [key, isInstant ? each - byMs : shifted(each, byMs)] as const;
  });
  return Object.fromEntries(entries);
}
