import type { Edge } from "./bet.ts";
import { ERROR_MARGINS, HARM_FACTOR, HIGHEST_LEVEL, METRICS, SLOW_MARGINS, SLOW_PROOF, WIDEST_MARGIN } from "./parameters.ts";
import type { JudgeState } from "./state.ts";
import type { JudgePolicy, OwnCheck } from "./types.ts";

/** What is asked about one metric. */
export interface Question {
  /** Key in the state. */
  readonly key: string;
  /** For people. */
  readonly name: string;
  /** Part of the wager; all add up to 1. */
  readonly weight: number;
  /** The canary is harmful above this line. */
  readonly harm: Edge;
  /** Where the tolerated ratio is above this, no bet on harm is possible. */
  readonly highestLevel: number;
  /** Differences of ratios that safety is bet for, ascending; none where safety is not asked. */
  readonly margins: readonly number[];
  /** The difference that must be disproven before 100 %, where safety is asked. */
  readonly proof: number;
  /** Quantile of stable's past at which a request begins to be slow; undefined for what is counted without one. */
  readonly slowAt?: number;
  readonly own?: OwnCheck;
}

/** Weight of a critical check of the rollout's own beside the judge's, which weigh 1 together. */
const CRITICAL_WEIGHT = 0.5;
/** A rise of an own ratio below this is never harm, in percentage points over 100: a ratio of 0 has no tenth of its own. */
const LEAST_OWN_MARGIN = 0.000_5;

const ERRORS_KEYS = new Set<string>(["newly", "errors"]);

/** All questions of a policy. Safety of errors is asked of users that fail for the first time: clumps of failures of one user prove nothing either way. */
export function questionsOf(policy: JudgePolicy): readonly Question[] {
  const own = policy.own ?? [];
  const sum = own.reduce((all, { weight }) => all + partOf(weight), 1);
  return [...METRICS.map((metric) => builtIn(metric, policy, sum)), ...own.map((each) => ownQuestion(each, sum))];
}

const partOf = (weight: OwnCheck["weight"]): number => (weight === "critical" ? CRITICAL_WEIGHT : weight === "advisory" ? 0 : weight / 100);

function builtIn(metric: (typeof METRICS)[number], policy: JudgePolicy, sum: number): Question {
  const { key, name, slowAt } = metric;
  const weight = metric.weight / sum;
  if (slowAt === undefined) {
    const { maxErrorIncrease, errorProof: proof } = policy;
    const harm = { factor: HARM_FACTOR, margin: maxErrorIncrease };
    return { key, name, weight, harm, highestLevel: HIGHEST_LEVEL, margins: key === "newly" ? errorMargins(proof) : NO_MARGINS, proof };
  }
  const harm = { factor: HARM_FACTOR, margin: policy.maxSlowIncrease };
  return { key, name, weight, harm, highestLevel: HIGHEST_LEVEL, margins: SLOW_MARGINS, proof: SLOW_PROOF[key], slowAt };
}

const NO_MARGINS: readonly number[] = [];

const errorMargins = (proof: number): readonly number[] => {
  const margins: number[] = [];
  for (const times of ERROR_MARGINS) if (times * proof < WIDEST_MARGIN) margins.push(times * proof);
  return margins;
};

/** A drop is harm where its misses rise: not more than (1 - t) times stable's misses and t is the same as not less than (1 - t) times its hits. */
function ownQuestion(own: OwnCheck, sum: number): Question {
  const { name, harm, tolerated, weight } = own;
  const edge =
    harm === "higher"
      ? { factor: 1 + tolerated, margin: LEAST_OWN_MARGIN }
      : { factor: 1 - tolerated, margin: Math.max(LEAST_OWN_MARGIN, tolerated) };
  const highestLevel = harm === "higher" ? HIGHEST_LEVEL : 1 - LEAST_OWN_MARGIN / 10;
  return { key: `own.${name}`, name, weight: partOf(weight) / sum, harm: edge, highestLevel, margins: [], proof: 0, own };
}

/** As they are told: where nobody knows users, both questions about errors are one. */
export function askedOf(questions: readonly Question[], { knowsUsers }: Pick<JudgeState, "knowsUsers">): readonly Question[] {
  if (knowsUsers) return questions;
  const [requests] = questions.filter(({ key }) => key === "errors");
  return questions.flatMap((question) => {
    if (question === requests) return [];
    return [question.key === "newly" ? { ...question, name: "errors", weight: question.weight + (requests?.weight ?? 0) } : question];
  });
}

/** Errors as requests or as users. */
export const isAboutErrors = ({ key }: Question): boolean => ERRORS_KEYS.has(key);

/** Whether bets are about this question: those about another one begin anew. */
export function isAbout(asked: readonly number[], { harm, margins }: Question): boolean {
  if (asked.length !== margins.length + 2 || asked[0] !== harm.factor || asked[1] !== harm.margin) return false;
  return margins.every((margin, index) => asked[index + 2] === margin);
}

/** The question as bets remember it. */
export const askedIn = ({ harm, margins }: Question): number[] => [harm.factor, harm.margin, ...margins];
