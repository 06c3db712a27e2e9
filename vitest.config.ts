import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], extra: object = {}) => ({ test: { name, include, environment: "node", ...extra } });

const real = { globalSetup: ["test/support/programs.ts"] };

export default defineConfig({
  test: {
    projects: [
      // Laws take thousands of cases each, and some seconds where other work shares the machine.
      project("unit", ["test/unit/**/*.test.ts", "test/property/**/*.test.ts"], { testTimeout: 60_000 }),
      // Whole systems in one process: slow, not stuck, where other work shares the machine.
      project("integration", ["test/integration/**/*.test.ts"], { ...real, testTimeout: 90_000, hookTimeout: 60_000 }),
      project("e2e", ["test/e2e/**/*.test.ts"], { ...real, testTimeout: 240_000, hookTimeout: 240_000, fileParallelism: false }),
      // The real tools of the ecosystems that Serin is deployed by: minutes, and Go, so `npm run check:deploy` alone runs it.
      project("deploy", ["test/deploy/**/*.test.ts"], { ...real, testTimeout: 600_000, hookTimeout: 1_500_000, fileParallelism: false }),
    ],
    // Measured with `--coverage` on the unit project alone: the cores must be covered by tables and laws, not by chance.
    coverage: {
      include: ["src/core/**/*.ts"],
      reporter: [["text", { skipFull: true }], "json-summary"],
      reportOnFailure: true,
      reportsDirectory: ".cache/coverage",
      thresholds: { 100: true },
    },
  },
});
