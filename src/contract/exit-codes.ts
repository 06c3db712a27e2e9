/** Exit codes of the command line; fixed by contract. */
export const EXIT = {
  done: 0,
  ourError: 1,
  usage: 2,
  rolledBack: 3,
  timedOut: 4,
  refused: 5,
  programMissing: 6,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One line for each exit code, printed in the reference. */
export const EXIT_MEANING: Readonly<Record<ExitCode, string>> = {
  0: "done",
  1: "an error of Serin's own",
  2: "usage, or an invalid file",
  3: "rolled back or degraded; of `serin replay`, a verdict that differs from the recorded one",
  4: "timed out, or no leader",
  5: "refused: frozen, conflict, not allowed",
  6: "a needed program is missing",
};
