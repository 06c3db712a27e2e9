import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readDebugSecrets } from "../../../src/sidecar/debug-secrets.ts";

const fileOf = (text: string): string => {
  const file = join(mkdtempSync(join(tmpdir(), "serin-secret-")), "secrets");
  writeFileSync(file, text);
  return file;
};

test("each line is a secret, whole", async () => {
  const isSecret = await readDebugSecrets(fileOf("first-of-the-secrets\nsecond-of-the-secrets\n"));
  const given = ["first-of-the-secrets", "second-of-the-secrets", "first-of-the-secret", "", "first-of-the-secrets\nsecond-of-the-secrets"];
  expect(given.map(isSecret)).toEqual([true, true, false, false, false]);
});

test.each(["too-short-really", "sixteen characters, with spaces", "sechzehn-zeichen-überall"])(
  "%s is no secret, if it is short or no header carries it",
  async (text) => {
    const isLongEnough = text === "too-short-really";
    const file = fileOf(`a-secret-of-many-letters\n${isLongEnough ? text.slice(1) : text}\n`);
    await expect(readDebugSecrets(file)).rejects.toThrow(
      `${file}:2: not a secret of at least 16 letters, digits and signs; make one with \`openssl rand -hex 16\``,
    );
  },
);
