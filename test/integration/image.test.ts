import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { findHadolint } from "../support/hadolint.ts";

const root = packageRoot();

interface Finding {
  readonly code: string;
}

/** What hadolint finds in a Dockerfile. */
async function findings(path: string): Promise<Finding[]> {
  const { path: hadolint } = await findHadolint();
  const { stdout } = await runCommand(hadolint, ["--format", "json", path], 30_000);
  return JSON.parse(stdout);
}

test("hadolint finds nothing in the Dockerfile, and would find a fault", async () => {
  expect(await findings(join(root, "Dockerfile"))).toEqual([]);
  const folder = await mkdtemp(join(tmpdir(), "serin-hadolint-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const faulty = join(folder, "Dockerfile");
  await writeFile(faulty, `${await readFile(join(root, "Dockerfile"), "utf8")}\nRUN cd /app && sudo npm ci\n`);
  expect((await findings(faulty)).map(({ code }) => code)).toContain("DL3004");
});
