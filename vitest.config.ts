import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: ["test/servers/postgres-for-tests.ts"],
    include: ["src/**/*.test.ts", "console/src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
    // A guard against hanging, never a measure: many tests start whole gateways, on machines that do other things too.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    pool: "forks",
  },
});
