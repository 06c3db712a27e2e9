/** One place where two documents differ; `before` or `after` is absent where there is nothing. */
export interface Difference {
  /** Like `strategy.stages[1].share`. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Where two values differ, down to the smallest part; keys in order of their names, lists by place. */
export function differences(before: unknown, after: unknown, path = ""): Difference[] {
  if (isMapping(before) && isMapping(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
    return keys.flatMap((key) => differences(before[key], after[key], path === "" ? key : `${path}.${key}`));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) => differences(before[index], after[index], `${path}[${index}]`)).flat();
  }
  if (Object.is(before, after)) return [];
  return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** A difference as a line: `+` what is new, `-` what goes, `~` what changes. */
export function differenceText({ path, before, after }: Difference): string {
  if (before === undefined) return `+ ${path}: ${shown(after)}`;
  return after === undefined ? `- ${path}: ${shown(before)}` : `~ ${path}: ${shown(before)} → ${shown(after)}`;
}
