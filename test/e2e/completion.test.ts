import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runIn } from "../support/package.ts";
import { serinOnPath } from "../support/serin-program.ts";

let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "serin-completion-"));
  env = await serinOnPath(folder);
});
afterAll(() => rm(folder, { recursive: true }));

/** What bash offers after this line, as it calls the function that `serin completion bash` defines. */
async function offered(line: string): Promise<string[]> {
  const script = [
    "source <(serin completion bash)",
    '[[ $(complete -p serin) == "complete -o default -F _serin serin" ]] || exit 9',
    "COMP_LINE=$1 COMP_POINT=${#1}",
    "_serin serin",
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ];
  const { code, out, error } = await runIn({ cwd: folder, env }, "bash", "--norc", "-c", script.join("\n"), "bash", line);
  expect({ line, code, error }).toEqual({ line, code: 0, error: "" });
  return out.split("\n").filter((value) => value !== "");
}

test.each([
  { title: "verbs", line: "serin sta", offers: ["status"] },
  { title: "flags", line: "serin apply --w", offers: ["--wait"] },
  { title: "choices", line: "serin watch cart --until ", offers: ["promoted", "ended"] },
  { title: "what follows = alone, because bash keeps what stands before it", line: "serin watch --until=e", offers: ["ended"] },
  { title: "nothing of its own where a file fits", line: "serin lint -f ", offers: [] },
])("bash completes $title", async ({ line, offers }) => {
  expect(await offered(line)).toEqual(offers);
});
