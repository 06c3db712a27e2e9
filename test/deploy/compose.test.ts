import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { type CommandResult, runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { composeFolder, readCompose } from "../support/compose.ts";
import { goBuild } from "../support/go.ts";

const root = packageRoot();
const tools = join(root, ".cache", "tools", "compose-reader");
const compose = join(composeFolder(), "compose.yaml");

beforeAll(() => goBuild(join(root, "test", "deploy", "go", "compose"), tools, ["."]));

/** What compose-go, which `docker compose` reads files by, says of one. */
const read = (path: string): Promise<CommandResult> => runCommand(join(tools, "compose"), [path], 30_000);

test("compose-go reads the compose file, and every service means what the tests of it read", async () => {
  const { code, stdout, stderr } = await read(compose);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const project = JSON.parse(stdout);
  const seen = Object.entries<Record<string, unknown>>(project.services).map(([name, { image, command, entrypoint }]) => [
    name,
    { image, command: command ?? [], entrypoint: entrypoint ?? undefined },
  ]);
  const services = Object.entries(readCompose().services);
  expect(Object.fromEntries(seen)).toEqual(
    Object.fromEntries(services.map(([name, { image, command, entrypoint }]) => [name, { image, command, entrypoint }])),
  );
});

test.each([
  { title: "a condition that there is not", from: "condition: service_healthy", to: "condition: service_fine", says: /condition/ },
  { title: "a service that there is not", from: "stable: { condition", to: "stables: { condition", says: /stables/ },
  { title: "a field that there is not", from: "read_only:", to: "readonly:", says: /readonly/ },
  { title: "a volume that nobody declared", from: "  state-1:\n", to: "", says: /state-1/ },
])("compose-go would refuse $title", async ({ from, to, says }) => {
  const folder = await mkdtemp(join(tmpdir(), "serin-compose-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const text = await readFile(compose, "utf8");
  expect(text).toContain(from);
  await writeFile(join(folder, "compose.yaml"), text.replace(from, to));
  const { code, stderr } = await read(join(folder, "compose.yaml"));
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(says) });
});
