/** What the judge counts by itself; `slowAt` is the quantile of stable's own past at which a request begins to be slow. */
export const METRICS = [
  { key: "newly", name: "newly failing users", weight: 0.3, slowAt: undefined },
  { key: "errors", name: "errors", weight: 0.2, slowAt: undefined },
  { key: "slowP50", name: "slow p50", weight: 0.1, slowAt: 0.5 },
  { key: "slowP90", name: "slow p90", weight: 0.2, slowAt: 0.9 },
  { key: "slowP99", name: "slow p99", weight: 0.2, slowAt: 0.99 },
] as const;

/** Chance of ever stating too small a bound on a difference, for each metric. */
export const BETA = 0.05;

/** Evidence in favour of harm beyond which nothing advances, as odds. */
export const HOLD_ODDS = 3;

/**
 * Harm is a ratio above 1.1 times stable's plus the tolerated difference. The factor absorbs what is uneven inside an outage
 * that hits both: at 40 % errors a few points more are no finding about the release.
 */
export const HARM_FACTOR = 1.1;

/** Guesses at a harmed canary, as odds over those of the tolerated ratio: from barely worse to failing always. */
export const HARM_ODDS = [1.4, 2, 4, 12, 100] as const;

/** Where nearly everything of stable is hit, no canary can be told to be worse. */
export const HIGHEST_LEVEL = 0.98;

/** Margins of the safety bets on errors, in multiples of the rise that must be disproven before 100 %. */
export const ERROR_MARGINS = [0.5, 1, 2, 4, 10, 20, 40, 100, 180] as const;
/** Margins of the safety bets on slow requests, as differences of ratios. */
export const SLOW_MARGINS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8] as const;
/** The rise of slow requests that must be disproven before 100 %: at a median half are slow, so that a few points are nothing. */
export const SLOW_PROOF = { slowP50: 0.1, slowP90: 0.05, slowP99: 0.02 } as const;
/** Guesses at a safe canary: stable's ratio plus this part of the margin. */
export const SAFE_PARTS = [0, 1 / 3] as const;
/** Margins near 100 points are not bet on. */
export const WIDEST_MARGIN = 0.95;

/**
 * Outcomes come in clumps (one user, one instance), so they say less than their number: log wealth is divided by the dispersion that
 * halves of stable show. Before enough is known it is the prior, with the weight of so many events; it is never below the floor. What is
 * estimated from few clumps is raised, because it errs to both sides and only one of them is safe.
 */
export const DISPERSION = { floor: 1.2, prior: 1.5, priorEvents: 20, mostRaise: 1.6, raisePerClump: 1.5 } as const;
/** Lengths of the blocks over which halves are compared, in blocks of `BLOCK_MS`: clumps that last show in longer ones. */
export const BLOCKS = [1, 6, 12, 24] as const;
export const BLOCK_MS = 5_000;

/**
 * Half of the wealth is bet from the start. The rest follows bit by bit, so that harm which begins late does not have to win
 * back what a good past has cost: in proportion to the logarithm of the time, because most faults show early, until the horizon.
 */
export const START_WEALTH = 0.5;
export const RESERVE_UNIT_MS = 30_000;
export const HORIZON_MS = 30 * 86_400_000;

/** Wealth is kept below these: enough for any verdict, and a good past does not outweigh a bad present for long. */
export const MOST_HARM_WEALTH = 1e9;
export const MOST_SAFE_WEALTH = 1e4;
/** The largest win, as a logarithm, that is still a number when it is none. */
export const MOST_LOG_WIN = 700;

/**
 * Most that one batch may multiply a bet by: about half of the way from the start to a rollback, in logarithms, so that a single
 * burst is no verdict, and two always can be. A batch that covers more time may say more, up to the whole way, or slow readers
 * of evidence would wait a round longer.
 */
export const batchLogCap = (alpha: number): number => (Math.log(1 / alpha) + 4) / 2;
export const BATCH_CAP_MS = 1_000;
export const BATCH_MOST_CAPS = 2;

/** Stable's outcomes without any of the canary are bet on with the canary's next, when that comes so soon. */
export const STABLE_WAITS_MS = 30_000;

/** Stable's ratio is taken from the last seconds when they hold enough events, else from the last half hour. */
export const SHORT_MEMORY_MS = 20_000;
export const LONG_MEMORY_MS = 1_800_000;
export const SHORT_MEMORY_EVENTS = 20;
/** What is assumed of stable before anything is known: 0.2 % of 100 requests. */
export const PRIOR = { hits: 0.2, all: 100 } as const;
export const RATIO_LIMITS = { low: 1e-4, high: 0.999 } as const;

/** Outcomes of stable that must be known before its quantiles are. */
export const QUANTILE_SAMPLE = 500;
/** Below this, in milliseconds, differences are connection set-up and cold code, not releases. */
export const LEAST_BOUND_MS = 10;
/**
 * A canary is cold at first: until so long after its first outcome, only requests that take several times as long are slow.
 * Gross slowness is thus found at once, and compiling code or empty pools are not taken for it.
 */
export const COLD_MS = 60_000;
export const COLD_FACTOR = 3;

/**
 * A request that has not ended so long after its decision is slow; one of the latency bounds. What is decided and what has ended
 * come by different sidecars and messages: the access log up to 200 ms late, evidence of a live canary up to 2 s.
 */
export const OVERDUE_MS = 2_000;
export const EVIDENCE_LAG_MS = 3_000;
/** What is overdue no more is forgotten within two of these. */
export const OVERDUE_WINDOW_MS = 60_000;

/**
 * Stable itself fails when a batch has so many failures, and a ratio far above its own past. Nothing advances then. What lasts
 * becomes the past within the half hour of the long memory, so that no rollout waits for ever.
 */
export const OUTAGE = { leastPast: 500, failures: 5, times: 5, points: 0.02, timesBeside: 3 } as const;

/** Failed requests that a canary which fails always may cost until it is seen, and how long that takes: together they bound the share while little is proven. */
export const HARM_BUDGET = 20;
export const REACTION_MS = 15_000;
/** Part of all requests that may be harmed by what is not disproven yet. */
export const HARMED_PART = 0.005;
/** A slow request harms half as much as a failed one. */
export const SLOW_HARM = 0.5;

/**
 * Where failures come in clumps as large as this, it takes long to disprove anything. After so much time with the canary, and only while
 * nothing at all speaks for harm, so many times the rise may be left open; who is held back still shows what is worse.
 */
export const CLUMPED = 10;
export const RELAXED = [
  { afterMs: 450_000, times: 2 },
  { afterMs: 540_000, times: 4 },
  { afterMs: 1_800_000, times: 20 },
] as const;
export const RELAXED_ODDS = 1;

/** Traffic "lately", for rates. */
export const RATE_MEMORY_MS = 60_000;
