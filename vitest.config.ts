import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts", "test/golden/**/*.test.ts"], testTimeout: 30_000 } },
      { test: { name: "vm", include: ["test/vm/**/*.vm.test.ts"], testTimeout: 900_000, hookTimeout: 1_800_000, fileParallelism: false } },
    ],
  },
});
