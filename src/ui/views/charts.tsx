import type { SeriesPoint } from "../../contract/stream.ts";
import type { CheckRecord, Verdict } from "../../contract/verdict.ts";
import { duration, figure, ratio, share } from "../../told/format.ts";
import { bandPath, CHART, linePath, type Sample, type Scale, scaleOf } from "../chart-shape.ts";

type Line = Readonly<{ label: string; kind: "stable" | "canary" | "threshold"; samples: readonly Sample[]; steps?: boolean }>;

interface Drawn {
  readonly title: string;
  /** What the chart shows, in words: for whoever does not see it. */
  readonly words: string;
  readonly lines: readonly Line[];
  readonly scale: Scale;
  readonly band?: string;
  readonly verdicts?: readonly Readonly<{ atMs: number; verdict: Verdict }>[];
  text(value: number): string;
}

function Chart({ title, words, lines, scale, band = "", verdicts = [], text }: Drawn) {
  const { width, height, left, right, bottom } = CHART;
  return (
    <figure>
      <figcaption>
        {title}
        <span class="legend">
          {lines.map(({ kind, label }) => (
            <span key={label}>
              <svg viewBox="0 0 24 8" class="key" aria-hidden="true">
                <path d="M0 4H24" class={`line ${kind}`} />
              </svg>
              {label}
            </span>
          ))}
          {band !== "" && (
            <span>
              <svg viewBox="0 0 24 8" class="key" aria-hidden="true">
                <path d="M0 0H24V8H0Z" class="band" />
              </svg>
              where the canary may be
            </span>
          )}
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${title}. ${words}`}>
        {[0, 0.5, 1].map((part) => (
          <g key={part}>
            <path d={`M${left} ${scale.y(part * scale.top)}H${width - right}`} class="grid" />
            <text x={left - 6} y={scale.y(part * scale.top) + 4} class="axis" text-anchor="end">
              {text(part * scale.top)}
            </text>
          </g>
        ))}
        <path d={band} class="band" />
        {lines.map(({ kind, label, samples, steps }) => (
          <path key={label} d={linePath(samples, scale, steps)} class={`line ${kind}`} />
        ))}
        {verdicts.map(({ atMs, verdict }) => (
          <text key={atMs} x={scale.x(atMs)} y={scale.y(0) - 3} class={`mark ${verdict}`} text-anchor="middle">
            {verdict === "rollback" ? "▼" : verdict === "advance" ? "▲" : "■"}
          </text>
        ))}
        <text x={left} y={height - 6} class="axis">
          {duration(scale.toMs - scale.fromMs)} ago
        </text>
        <text x={width - right} y={height - 6} class="axis" text-anchor="end">
          last
        </text>
        <path d={`M${left} ${height - bottom}H${width - right}`} class="axis-line" />
      </svg>
    </figure>
  );
}

/** The share set and seen, with the verdicts where they changed. */
export function ShareChart({ points }: { readonly points: readonly SeriesPoint[] }) {
  const last = points.at(-1);
  if (last === undefined) return <p>Nothing is judged yet.</p>;
  const set = points.map(({ atMs, shareBp }): Sample => [atMs, shareBp]);
  const seen = points.map(({ atMs, shareSeenBp }): Sample => [atMs, shareSeenBp]);
  const verdicts = points.filter(({ verdict }, index) => verdict !== "unknown" && verdict !== points[index - 1]?.verdict);
  return (
    <Chart
      title="Share of the users"
      words={`Set to ${share(last.shareBp)}, seen ${share(last.shareSeenBp)}; the last verdict is ${last.verdict}.`}
      lines={[
        { label: "set", kind: "threshold", samples: set, steps: true },
        { label: "seen", kind: "canary", samples: seen },
      ]}
      scale={scaleOf([set, seen], 100)}
      verdicts={verdicts}
      text={(bp) => share(bp)}
    />
  );
}

/** A chart for each check: both variants, the tolerated ratio, and where the canary's true ratio may be. */
export function CheckCharts({ points, checks }: { readonly points: readonly SeriesPoint[]; readonly checks: readonly CheckRecord[] }) {
  return (
    <div class="charts">
      {checks.map((check) => (
        <CheckChart key={check.name} check={check} points={points} />
      ))}
    </div>
  );
}

function CheckChart({ check, points }: { readonly check: CheckRecord; readonly points: readonly SeriesPoint[] }) {
  const own = points.flatMap(({ atMs, checks }) => checks.filter(({ name }) => name === check.name).map((each) => ({ atMs, ...each })));
  const stable = own.map(({ atMs, stable: value }): Sample => [atMs, value]);
  const canary = own.map(({ atMs, canary: value }): Sample => [atMs, value]);
  const tolerated = own.map(({ atMs, stable: value, threshold }): Sample => [atMs, value === null ? null : value + threshold]);
  const scale = scaleOf([stable, canary, tolerated], 0.01);
  // Differences from stable: without a lower bound everything below is possible.
  const band = bandPath(
    own.map(({ atMs, stable: value, lower, upper }) =>
      value === null || upper === null ? ([atMs, null, null] as const) : ([atMs, value + (lower ?? -value), value + upper] as const),
    ),
    scale,
  );
  const said = check.isRatio === false ? figure : ratio;
  const most = check.stable === null ? null : check.stable + check.threshold;
  return (
    <Chart
      title={check.name}
      words={`Stable ${said(check.stable)}, canary ${said(check.canary)}, tolerated up to ${said(most)}; the canary is worse by at most ${said(check.upper)}. It says ${check.verdict}.`}
      lines={[
        { label: "stable", kind: "stable", samples: stable },
        { label: "canary", kind: "canary", samples: canary },
        { label: "tolerated", kind: "threshold", samples: tolerated },
      ]}
      scale={scale}
      band={band}
      text={(value) => (check.isRatio === false ? figure(value) : share(value * 10_000))}
    />
  );
}
