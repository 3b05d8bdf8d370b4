import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** All that tests leave in the temporary folder goes at the end. */
const OWN_TEMPORARY = "test/support/own-temporary.ts";

const machines = { testTimeout: 900_000, hookTimeout: 1_800_000 } as const;

/** Files that take long, from the slowest on: begun last, one of them would run while the other processors have nothing to do. */
const SLOWEST = [
  "vm/core.vm",
  "vm/corpus",
  "vm/verify",
  "vm/fixes",
  "vm/refused",
  "vm/core-lifetimes",
  "vm/hooks",
  "vm/resident",
  "vm/packages",
  "callbacks/prove-callbacks",
  "packaging/packages",
  "debian/other-release",
  "create/check-layouts",
  "change/apply-patch",
  "golden/diff/",
  "golden/layout/",
  "kbuild/reach/header-reach",
  "update/linkage/",
  "kbuild/compile/object-cache",
  "match/match-unit",
  "update/fit/fit-update",
  "btf/compare-prototypes",
];

class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = SLOWEST.findIndex((part) => moduleId.includes(part));
      return index < 0 ? SLOWEST.length : index;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: SlowestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/golden/**/*.test.ts"],
          testTimeout: 30_000,
          // Else one processor is left alone, of two.
          maxWorkers: "100%",
          // Loading the modules anew for each file takes a third of the time. So a test puts back what it changes of its process.
          isolate: false,
          globalSetup: OWN_TEMPORARY,
          setupFiles: "test/support/use-memory.ts",
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "vm",
          include: ["test/vm/**/*.vm.test.ts"],
          ...machines,
          // An emulated machine keeps one processor busy.
          maxWorkers: 2,
          globalSetup: [OWN_TEMPORARY, "test/vm/support/prepare-trees.ts"],
          setupFiles: "test/vm/support/leave-nothing.ts",
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "nightly",
          include: ["test/nightly/**/*.nightly.test.ts"],
          ...machines,
          testTimeout: 7_200_000,
          fileParallelism: false,
          globalSetup: OWN_TEMPORARY,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
