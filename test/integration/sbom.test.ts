import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { runCommand } from "../../src/demo/run-command.ts";
import { packageRoot } from "../../src/io/package-root.ts";

const root = packageRoot();
const PackageSchema = z.object({ dependencies: z.record(z.string(), z.string()), devDependencies: z.record(z.string(), z.string()) });
const LockSchema = z.object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) });
const SbomSchema = z.object({
  bomFormat: z.literal("CycloneDX"),
  components: z.array(z.object({ purl: z.string(), hashes: z.array(z.object({ alg: z.string(), content: z.string() })) })),
});

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(join(root, path), "utf8"));
const named = (packages: Readonly<Record<string, string>>): string[] =>
  Object.entries(packages).map(([name, version]) => `pkg:npm/${name.replace("@", "%40")}@${version}`);

test("`npm run sbom` lists every package that the program uses with its hash, and none that only builds or tests it", async () => {
  expect(await runCommand("npm", ["--prefix", root, "run", "sbom"], 60_000)).toMatchObject({ code: 0 });
  const { components } = SbomSchema.parse(await readJson("dist/serin.cdx.json"));
  const { dependencies, devDependencies } = PackageSchema.parse(await readJson("package.json"));
  const listed = components.map(({ purl }) => purl);
  expect(listed).toEqual(expect.arrayContaining(named(dependencies)));
  // Some of them come along with what the program uses, too.
  const { packages } = LockSchema.parse(await readJson("package-lock.json"));
  const onlyHere = Object.entries(devDependencies).filter(([name]) => packages[`node_modules/${name}`]?.dev === true);
  expect(onlyHere.length).toBeGreaterThan(10);
  expect(named(Object.fromEntries(onlyHere)).filter((purl) => listed.includes(purl))).toEqual([]);
  expect(components.filter(({ hashes }) => hashes.length === 0)).toEqual([]);
});
