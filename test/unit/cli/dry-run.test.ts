import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runWith } from "./cli-parts.ts";

test("`serin apply --dry-run` names the checks of the rollout's own, what each may do, and what follows when no data comes", async () => {
  const checks =
    "{errors: {objective: 0.1%}, onNoData: rollback, saturation: {prometheus: 'x{variant=\"{variant}\"}'}, own: [{name: smoke, webhook: {url: 'http://127.0.0.1/'}}, {name: load, gauge: {prometheus: 'y{variant=\"{variant}\"}'}, harm: higher}, {name: complaints, feedback: {kind: complaint}, harm: higher, weight: 20}]}";
  const directory = mkdtempSync(join(tmpdir(), "serin-cli-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "own.yaml");
  writeFileSync(
    file,
    `apiVersion: serin/v1\nkind: Rollout\nname: a\nmatch: {hosts: [a.example]}\nkey: [{header: x-user}]\nvariants: {stable: {cluster: s}, canary: {cluster: c}}\nstrategy: {use: fast}\nchecks: ${checks}\n`,
  );
  expect((await runWith(["apply", "-f", file, "--dry-run"])).out.split("\n").slice(-5)).toEqual([
    expect.stringContaining("  checks: errors at most "),
    "  objective: 0.1 % errors at most",
    "  own checks: smoke (webhook, critical), load (gauge, advisory), complaints (feedback, weight 20), saturation (gauge, advisory)",
    "  rolled back when no outcome of the canary comes for 10 min",
    "",
  ]);
});
