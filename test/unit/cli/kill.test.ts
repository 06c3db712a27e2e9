import { expect, test } from "vitest";
import { runWith } from "./cli-parts.ts";

test.each([
  { args: [], problem: "name a rollout, or say --all or --segment NAME" },
  { args: ["cart", "--all"], problem: "name a rollout, or say --all" },
  { args: ["--all", "--key", "ann"], problem: "--key is of one rollout; name it instead of --all" },
  { args: ["cart", "--key", "ann", "--segment", "staff"], problem: "--key and --segment are two orders; give one after the other" },
  {
    args: ["--segment", "my staff"],
    problem: "my staff: not a name; use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit",
  },
  {
    args: ["--segment", "staff"],
    problem: "an order to switch off is signed; give --sign-with FILE or SERIN_OPERATOR_KEY, an Ed25519 key in PEM",
  },
])("`serin kill` with $args is a usage error, and nothing is sent", async ({ args, problem }) => {
  const { code, error } = await runWith(["kill", ...args]);
  expect([code, error]).toEqual([2, expect.stringContaining(problem)]);
});
