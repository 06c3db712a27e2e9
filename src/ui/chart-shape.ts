/** A moment and what was measured then; null where nothing was. */
export type Sample = readonly [atMs: number, value: number | null];

/** Room of a chart, in units of its own. */
export const CHART = { width: 600, height: 200, left: 52, right: 8, top: 8, bottom: 22 } as const;

/** From times and values to places. */
export interface Scale {
  readonly fromMs: number;
  readonly toMs: number;
  /** Value at the upper edge; the lower one is 0. */
  readonly top: number;
  x(atMs: number): number;
  y(value: number): number;
}

/** A scale that holds all samples. Its upper edge is the next of 1, 2 or 5 times a power of ten, at least `least`. */
export function scaleOf(lines: readonly (readonly Sample[])[], least: number): Scale {
  const times = lines.flatMap((line) => line.map(([atMs]) => atMs));
  const values = lines.flatMap((line) => line.flatMap(([, value]) => (value === null ? [] : [value])));
  const fromMs = times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const toMs = times.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const top = roundUp(values.reduce((a, b) => Math.max(a, b), least));
  const spanMs = Math.max(1, toMs - fromMs);
  const { width, height, left, right, top: above, bottom } = CHART;
  const clamped = (value: number): number => Math.min(top, Math.max(0, value));
  return {
    ...{ fromMs, toMs, top },
    x: (atMs) => round(left + ((atMs - fromMs) / spanMs) * (width - left - right)),
    y: (value) => round(height - bottom - (clamped(value) / top) * (height - above - bottom)),
  };
}

const round = (value: number): number => Math.round(value * 10) / 10;

function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const times = [1, 2, 5, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10;
  return Number((times * power).toPrecision(1));
}

/** A line through the samples, as the `d` of a path; where nothing was measured it is broken. With `steps` each value lasts until the next. */
export function linePath(samples: readonly Sample[], scale: Scale, steps = false): string {
  let path = "";
  let isDrawing = false;
  for (const [atMs, value] of samples) {
    if (value === null) {
      isDrawing = false;
      continue;
    }
    const [x, y] = [scale.x(atMs), scale.y(value)];
    if (!isDrawing) path += `M${x} ${y}`;
    else path += steps ? `H${x}V${y}` : `L${x} ${y}`;
    isDrawing = true;
  }
  return path;
}

/** The room between two lines, as the `d` of a path; where either is absent there is none. */
export function bandPath(samples: readonly (readonly [atMs: number, lower: number | null, upper: number | null])[], scale: Scale): string {
  const parts: (readonly [number, number, number])[][] = [[]];
  for (const [atMs, lower, upper] of samples) {
    if (lower === null || upper === null) parts.push([]);
    else parts.at(-1)?.push([scale.x(atMs), scale.y(lower), scale.y(upper)]);
  }
  return parts
    .filter((part) => part.length > 1)
    .map((part) => {
      const there = part.map(([x, , upper]) => `${x} ${upper}`);
      const back = part.map(([x, lower]) => `${x} ${lower}`).toReversed();
      return `M${[...there, ...back].join("L")}Z`;
    })
    .join("");
}
