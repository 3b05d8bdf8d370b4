import { describe, expect, it } from "vitest";
import { coldParent } from "../../../../src/elf/made-names.js";
import { isNumbered, normalName, sourceFunction, staticLocalName } from "../../../../src/diff/atoms/names.js";

describe("names without the compiler's numbers", () => {
  it.each([
    ["raw_sendmsg", "raw_sendmsg"],
    ["state.12", "state.#"],
    ["f.constprop.0", "f.constprop.#"],
    ["f.isra.0.constprop.3", "f.isra.#.constprop.#"],
    ["f.part.0.cold", "f.part.#.cold"],
    ["__UNIQUE_ID_ddebug345.2", "__UNIQUE_ID_ddebug#.#"],
    ["__UNIQUE_ID___addressable_init_module456", "__UNIQUE_ID___addressable_init_module#"],
    ["__initcall__kmod_core__1241_4592_sched_core_init7", "__initcall__kmod_core__#_#_sched_core_init7"],
    ["table2", "table2"],
    [".rodata.__func__.3", ".rodata.__func__.#"],
  ])("%s is %s", (name, expected) => {
    expect(normalName(name)).toBe(expected);
    expect(isNumbered(name)).toBe(name !== expected);
  });

  it.each([
    ["state", undefined],
    ["state.12", "state"],
    ["f.state", "f.state"],
    ["f.state.3", "f.state"],
    ["__UNIQUE_ID_ddebug345.2", "__UNIQUE_ID_ddebug#"],
  ])("the static local %s is called %s in the source", (name, expected) => {
    expect(staticLocalName(name)).toBe(expected);
  });

  it.each([
    ["f", undefined],
    ["f.cold", "f"],
    ["f.cold.7", "f"],
    ["f.part.0.cold", "f.part.0"],
    ["f.part.0", undefined],
  ])("%s is a cold piece of %s", (name, expected) => {
    expect(coldParent(name)).toBe(expected);
  });

  it.each([
    ["f", "f"],
    ["f.isra.0.cold", "f"],
    [".text", ".text"],
  ])("%s comes from the source function %s", (name, expected) => {
    expect(sourceFunction(name)).toBe(expected);
  });
});
