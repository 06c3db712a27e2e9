/** Who may import whom. Each rule has a test that plants what it forbids: test/unit/house/directions.test.ts. */

const error = "error";
const node = ["core"];
const packages = ["npm", "npm-optional", "npm-peer", "npm-dev", "npm-no-pkg", "npm-unknown"];

/** A folder of src may import these folders of src; packages and Node are ruled beside it. */
const onlyFolders = (folder, allowed) => ({
  name: `${folder}-imports-${allowed.join("-and-")}`,
  severity: error,
  from: { path: `^src/${folder}/` },
  to: { path: "^src/", pathNot: `^src/(${allowed.join("|")})/` },
});

/** No package but these, and nothing of Node. */
const onlyPackages = (folder, allowed) => [
  { name: `${folder}-knows-no-node`, severity: error, from: { path: `^src/${folder}/` }, to: { dependencyTypes: node } },
  {
    name: `${folder}-needs-few-packages`,
    severity: error,
    from: { path: `^src/${folder}/` },
    to: { dependencyTypes: packages, pathNot: `node_modules/(${allowed.join("|")})/` },
  },
];

/** Arithmetic on values, as the cores are: regular expressions in linear time, versions, addresses. */
const PURE = ["re2js", "semver", "ipaddr\\.js"];

export default {
  forbidden: [
    onlyFolders("contract", ["contract"]),
    onlyFolders("core", ["core", "contract"]),
    onlyFolders("io", ["io", "contract"]),
    onlyFolders("sidecar", ["sidecar", "core", "contract", "io"]),
    onlyFolders("told", ["told", "core", "contract", "io"]),
    onlyFolders("controller", ["controller", "told", "core", "contract", "io"]),
    onlyFolders("cli", ["cli", "told", "core", "contract", "io"]),
    onlyFolders("ui", ["ui", "told", "contract"]),
    onlyFolders("demo", ["demo", "core", "contract", "io"]),
    ...onlyPackages("contract", ["zod", ...PURE]),
    ...onlyPackages("core", ["zod", ...PURE]),
    ...onlyPackages("ui", ["preact"]),
    {
      name: "only-the-judge's-state-needs-a-schema",
      comment: "Judge and plan come back from storage; deciding takes what is parsed already.",
      severity: error,
      from: { path: "^src/core/decide/" },
      to: { dependencyTypes: packages, pathNot: `node_modules/(${PURE.join("|")})/` },
    },
    {
      name: "decide-knows-neither-judge-nor-plan",
      severity: error,
      from: { path: "^src/core/decide/" },
      to: { path: "^src/core/(judge|plan)/" },
    },
    { name: "judge-stands-alone", severity: error, from: { path: "^src/core/judge/" }, to: { path: "^src/core/(decide|plan)/" } },
    {
      name: "plan-knows-the-judge's-types",
      severity: error,
      from: { path: "^src/core/plan/" },
      to: { path: "^src/core/(decide|judge)/", pathNot: "^src/core/judge/types\\.ts$" },
    },
    {
      name: "simulate-and-replay-decide-nothing",
      comment: "They take counts through judge and plan; which request goes where is no part of it.",
      severity: error,
      from: { path: "^src/core/(simulate|replay)/" },
      to: { path: "^src/core/decide/" },
    },
    {
      name: "nobody-imports-bin",
      severity: error,
      from: { path: "^src/", pathNot: "^src/bin/" },
      to: { path: "^src/bin/" },
    },
    {
      name: "src-imports-no-tests",
      comment: "The demo counts against the plain bucketing of the tests, which bin hands to it.",
      severity: error,
      from: { path: "^src/" },
      to: { path: "^(test|scripts)/", pathNot: "^test/support/plain-bucketing\\.ts$" },
    },
    {
      name: "only-bin-takes-the-plain-bucketing",
      severity: error,
      from: { path: "^src/", pathNot: "^src/bin/" },
      to: { path: "^test/support/plain-bucketing\\.ts$" },
    },
    {
      name: "no-development-packages",
      severity: error,
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "packages-are-named",
      comment: "A package that only comes along with another one goes away with it.",
      severity: error,
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    { name: "everything-resolves", severity: error, from: {}, to: { couldNotResolve: true } },
    { name: "no-cycles", severity: error, from: {}, to: { circular: true } },
    { name: "no-orphans", severity: error, from: { orphan: true, path: "^src/" }, to: {} },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    // Types are a direction too.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
