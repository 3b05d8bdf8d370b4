import { describe, expect, it } from "vitest";
import { Refusal } from "../../../../src/diagnostics.js";
import { refuseUnsafe, requireEffect } from "../../../../src/update/create/judge-parts.js";
import { diffUnit, type UnitDiff } from "../../../../src/update/units/unit-diff.js";
import { cutOut } from "../../../../src/update/create/cut-out.js";
import { GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS, compileBytes } from "../../../support/compile-object.js";

const compile = (text: string): Uint8Array => compileBytes(text, GCC ?? "gcc", [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS]);

function diff(name: string, pre: string, post: string, target = "vmlinux"): UnitDiff {
  const unit = { path: `${name}.o`, source: `${name}.c`, target };
  return diffUnit({ unit, pre: compile(pre), post: compile(post), sources: [pre, post] });
}

const INIT = '__attribute__((section(".init.text"))) int setup(int x) { return x + VALUE; }';
const init = diff("init", INIT.replace("VALUE", "1"), INIT.replace("VALUE", "2"));
const changed = diff("changed", "int f(int x) { return x; }", "int f(int x) { return x + 1; }");
const unsafe = diff("unsafe", "int n = 1; int *g(void) { return &n; }", "int n = 2; int *g(void) { return &n; }");
const gone = (target: string): UnitDiff =>
  diff(
    `gone_${target}`,
    "int outside(int); int gone(int x) { return outside(x); } int used(int x) { return x; }",
    "int used(int x) { return x; }",
    target,
  );

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe("what is refused of several units", () => {
  it.each<[string, UnitDiff[], string | undefined]>([
    ["nothing where all is safe", [changed], undefined],
    ["one that is not safe, whatever the others are", [changed, unsafe], "changed-data"],
    ["a patch of initialization code only", [init], "init-only"],
    ["not one that changes initialization code besides", [init, changed], undefined],
    ["what else is not safe comes with it", [init, changed, unsafe], "init-only"],
  ])("%s", (_, diffs, code) => {
    expect(
      codeOf(() => {
        refuseUnsafe(diffs);
      }),
    ).toBe(code);
  });
});

describe("an update has an effect", () => {
  const parts = (diffs: readonly UnitDiff[]) =>
    cutOut(diffs, {
      moves: { functions: [], data: [], added: [], refusals: [] },
      left: [],
      otherInterface: [],
      busy: { functions: [], unknown: [], refusals: [] },
      refusals: [],
    });

  it("unless code is only removed", () => {
    const only = [gone("vmlinux")];
    expect(codeOf(() => requireEffect(parts(only), only, []))).toBe("no-change");
  });

  it("on those targets where something changes", () => {
    const diffs = [changed, gone("vmlinux"), gone("module")];
    expect(requireEffect(parts(diffs), diffs, []).map(({ unit }) => unit.path)).toEqual(["changed.o", "gone_vmlinux.o"]);
  });
});
