import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readWheelFile } from "../../../src/demo/wheel.ts";
import { buildWheel } from "./wheel-builder.ts";

const directory = mkdtempSync(join(tmpdir(), "serin-wheel-"));
afterAll(() => rmSync(directory, { recursive: true }));

function wheelAt(name: string, bytes: Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

const files = { "some/bin/tool": "the tool\n".repeat(1_000), "some/plain.stored": "as it is", "other/thing": "a", "third/thing": "b" };

describe("a file in a wheel", () => {
  test.each([
    { title: "is unpacked when it is deflated", suffix: "bin/tool", name: "some/bin/tool", text: files["some/bin/tool"] },
    { title: "is copied when it is stored", suffix: "plain.stored", name: "some/plain.stored", text: "as it is" },
    { title: "is found by its full path too", suffix: "other/thing", name: "other/thing", text: "a" },
  ])("$title", async ({ suffix, name, text }) => {
    const file = await readWheelFile(wheelAt("good.whl", buildWheel(files)), suffix);
    expect([file.name, file.content.toString()]).toEqual([name, text]);
  });

  test("is refused when its hash is not the one in RECORD", async () => {
    const path = wheelAt("altered.whl", buildWheel(files, "some/bin/tool"));
    await expect(readWheelFile(path, "bin/tool")).rejects.toThrow(
      /some\/bin\/tool in the wheel has the hash sha256=.+, but its RECORD says sha256=/,
    );
  });

  test.each([
    { title: "is refused when it is not there", suffix: "bin/nothing", problem: "the wheel should hold one bin/nothing, and holds 0" },
    { title: "is refused when two could be meant", suffix: "/thing", problem: "the wheel should hold one /thing, and holds 2" },
  ])("$title", async ({ suffix, problem }) => {
    await expect(readWheelFile(wheelAt("good.whl", buildWheel(files)), suffix)).rejects.toThrow(problem);
  });

  test("is refused when the download broke off", async () => {
    const whole = buildWheel(files);
    const path = wheelAt("half.whl", whole.subarray(0, whole.length / 2));
    await expect(readWheelFile(path, "bin/tool")).rejects.toThrow("the wheel is no zip file, or only the beginning of one");
  });
});
