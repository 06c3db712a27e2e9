import { texts } from "./panels.ts";

const VERDICTS = ["advance", "hold", "unknown", "rollback"] as const;
type Verdict = (typeof VERDICTS)[number];

/** Colours of the numbers that `verdictNumber` makes. */
export const VERDICT_TEXTS = texts({ 1: ["advance", "green"], 2: ["hold", "blue"], 3: ["unknown", "yellow"], 4: ["rollback", "red"] });

/** A number for the verdict that holds, which a chart can colour; `of` selects the series of one verdict. */
export const verdictNumber = (of: (verdict: Verdict) => string): string =>
  VERDICTS.map((verdict, index) => `(${of(verdict)} == 1) * ${index + 1}`).join(" or ");
