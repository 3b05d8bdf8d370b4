import { defineConfig } from "vitest/config";

const machines = { testTimeout: 900_000, hookTimeout: 1_800_000, fileParallelism: false } as const;

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts", "test/golden/**/*.test.ts"], testTimeout: 30_000 } },
      { test: { name: "vm", include: ["test/vm/**/*.vm.test.ts"], ...machines } },
      { test: { name: "nightly", include: ["test/nightly/**/*.nightly.test.ts"], ...machines, testTimeout: 7_200_000 } },
    ],
  },
});
