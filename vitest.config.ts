import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], extra: object = {}) => ({ test: { name, include, environment: "node", ...extra } });

export default defineConfig({
  test: {
    projects: [
      project("unit", ["test/unit/**/*.test.ts", "test/property/**/*.test.ts"]),
      project("integration", ["test/integration/**/*.test.ts"], { testTimeout: 30_000, hookTimeout: 30_000 }),
      project("e2e", ["test/e2e/**/*.test.ts"], { testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false }),
    ],
  },
});
