import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { packageRoot } from "../../../src/io/package-root.ts";

const COPIED = ["src", "test/support/plain-bucketing.ts", "package.json", "tsconfig.json", ".oxlintrc.json", ".dependency-cruiser.mjs"];

/** A copy of the sources with more files in it, on which the tools of the house can run. */
export interface PlantedCopy {
  /** What a tool of node_modules writes to stdout; findings make it end with an exit code, which is no failure here. */
  run(tool: string, args: readonly string[]): Promise<string>;
  remove(): void;
}

/** Copies the sources and plants files: path → text. */
export function plantedCopy(planted: Readonly<Record<string, string>>): PlantedCopy {
  const root = packageRoot();
  const copy = mkdtempSync(join(tmpdir(), "serin-house-"));
  for (const path of COPIED) cpSync(join(root, path), join(copy, path), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  for (const [path, text] of Object.entries(planted)) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    writeFileSync(join(copy, path), text);
  }
  return {
    run: (tool, args) =>
      new Promise((resolve, reject) => {
        execFile(process.execPath, [join(root, "node_modules", tool), ...args], { cwd: copy, maxBuffer: 64e6 }, (error, stdout, stderr) => {
          if (stdout === "") reject(new Error(`${tool} said nothing: ${stderr}`, { cause: error }));
          else resolve(stdout);
        });
      }),
    remove: () => rmSync(copy, { recursive: true }),
  };
}
