// Puts the compiled program and the packages it uses into few files, after each build: a start that reads hundreds takes half as long
// again. What only some commands need stays in files of its own, which are read when it is needed.

import { copyFileSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, "dist", "bin");

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [join(root, "dist", "src", "bin", "serin.js")],
  outdir: folder,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.20",
  // Packages in the older form of modules ask for Node's own by name.
  banner: { js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);' },
  metafile: true,
  logLevel: "warning",
});

// The page that controllers serve: one script, and files as they are.
const ui = join(root, "src", "ui");
const page = await build({
  absWorkingDir: root,
  entryPoints: { page: join(ui, "main.tsx") },
  outdir: join(root, "dist", "ui"),
  tsconfig: join(ui, "tsconfig.json"),
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: ["chrome111", "firefox113", "safari16.4"],
  metafile: true,
  logLevel: "warning",
});
for (const name of ["index.html", "page.css", "icon.svg"]) copyFileSync(join(ui, name), join(root, "dist", "ui", name));

/** The licences of packages ask that their texts go along with what is taken of them; each text stands once, below all whose it is. */
function notices(paths) {
  const folders = new Set(paths.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  const packages = new Map();
  for (const folder of [...folders].toSorted()) {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const files = readdirSync(join(root, folder)).filter((file) => /^(licen[cs]e|notice|copying)\b/i.test(file));
    const text = files.map((file) => readFileSync(join(root, folder, file), "utf8").trim()).join("\n\n");
    packages.set(text, [...(packages.get(text) ?? []), `${name} ${version}: ${license}`]);
  }
  return [...packages].map(([text, names]) => `${[...new Set(names)].join("\n")}\n\n${text}`);
}
const NOTICES = "THIRD-PARTY-NOTICES.txt";
const inputs = [metafile, page.metafile].flatMap((made) => Object.keys(made.inputs));
writeFileSync(join(folder, NOTICES), `${notices(inputs).join(`\n\n${"-".repeat(80)}\n\n`)}\n`);

// The files of the build before go last: a program that runs from here may still read one.
const made = new Set(Object.keys(metafile.outputs).map((path) => relative(folder, join(root, path)))).add(NOTICES);
for (const name of readdirSync(folder)) if (!made.has(name)) rmSync(join(folder, name));
// Also where nothing changed: what is older than the sources is made anew.
utimesSync(join(folder, "serin.js"), new Date(), new Date());
