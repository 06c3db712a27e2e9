import * as z from "zod";
import { durationMs, shareBpOf } from "./quantities.ts";

/** A message of ours for a bad value: what is wrong, then how to put it right, split at the semicolon. */
const fault = (problem: string, fix: string): string => `${problem}; ${fix}`;

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value);

/** The message for what is no text: the unit where a number lacks only that, the thing itself where nothing stands. */
const notText = (input: unknown, noun: string, example: string, withUnit: (count: number) => string | undefined): string => {
  if (input === undefined || input === null) return fault(`${noun} is missing`, `write one like ${example}`);
  if (typeof input !== "number") return fault(`${shown(input)} is not ${noun}`, `write one like ${example}`);
  return fault(`${input} has no unit`, `write ${withUnit(input) ?? `one like ${example}`}`);
};

/** A part of the keys as people write it, `5%` or `0.25%`; parsed to integer basis points, 0…10,000. */
export const ShareSchema = z
  .string({
    error: ({ input }) => notText(input, "a share", "5%", (count) => (shareBpOf(`${count}%`) === undefined ? undefined : `${count}%`)),
  })
  .transform((text, context) => {
    const shareBp = shareBpOf(text);
    if (shareBp !== undefined) return shareBp;
    context.addIssue(fault(`${shown(text)} is not a share`, "write one from 0% to 100% with at most two decimals, like 5% or 0.25%"));
    return z.NEVER;
  });

/** A length of time as people write it, `250ms`, `30s`, `10m`, `2h`, `7d`, kept as text. */
export const DurationTextSchema = z
  .string({
    error: ({ input }) =>
      notText(input, "a duration", "30s or 10m", (count) => (durationMs(`${count}s`) === undefined ? undefined : `${count}s or ${count}m`)),
  })
  .refine((text) => durationMs(text) !== undefined, {
    error: ({ input }) => fault(`${shown(input)} is not a duration`, "write a whole number and ms, s, m, h or d, like 250ms or 10m"),
    abort: true,
  });

/** The same parsed to milliseconds. */
export const DurationSchema = DurationTextSchema.transform((text) => durationMs(text) ?? z.NEVER);

const POINTS = /^(?<value>\d{1,2}(?:\.\d{1,3})?)%$/;

/** A difference between two ratios as people write it, `0.5%` meaning half a percentage point; parsed to a ratio (0.005). */
export const PointsSchema = z
  .string({
    error: ({ input }) =>
      notText(input, "a percentage", "0.5%", (count) => (count > 0 && POINTS.test(`${count}%`) ? `${count}%` : undefined)),
  })
  .transform((text, context) => {
    const value = POINTS.exec(text)?.groups?.["value"];
    if (value !== undefined && Number(value) > 0) return Math.round(Number(value) * 1_000) / 100_000;
    context.addIssue(fault(`${shown(text)} is not a difference in percentage points`, "write one above 0% and below 100%, like 0.5%"));
    return z.NEVER;
  });
