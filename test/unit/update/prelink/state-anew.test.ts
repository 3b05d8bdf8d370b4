import { describe, expect, it } from "vitest";
import { SHF_ALLOC, SHF_WRITE, STT_OBJECT } from "../../../../src/elf/constants.js";
import { writeObject } from "../../../../src/elf/write-object.js";
import type { RunSymbol } from "../../../../src/run-kernel.js";
import { findStateAnew } from "../../../../src/update/prelink/state-anew.js";
import { makeFunction, makeObject, makeSection } from "../../../support/elf-builder.js";
import { kernelWith, symbol } from "../../../support/prelink-samples.js";

/** @param flags of the section that the variables are in */
function anew(names: readonly string[], held: readonly RunSymbol[], flags = SHF_ALLOC | SHF_WRITE): readonly string[] {
  const data = makeSection(".data", new Uint8Array(8 * names.length), { flags });
  const variables = names.map((name, index) => makeFunction(name, data, { type: STT_OBJECT, value: 8 * index, size: 8 }));
  const part = { name: "ksplice_new_vmlinux", bytes: writeObject(makeObject([data], variables, "new.ko")), digest: "", takenAddresses: [] };
  return findStateAnew([part], kernelWith(held), "old");
}

const held = (name: string, module: string, type = "b"): RunSymbol => ({ ...symbol(name, 0x1000n, module), type });

describe("a variable that an update brings anew", () => {
  it.each([
    ["of the file", ["count"], held("count", "ksplice_old_vmlinux"), ["count"]],
    ["of a function, under another number", ["list.7"], held("list.3", "ksplice_old_vmlinux", "d"), ["list"]],
  ])("is told where the one that is replaced had it: %s", (_, names, symbolThere, expected) => {
    expect(anew(names, [symbolThere])).toEqual(expected);
  });

  it.each([
    ["another update's", ["count"], held("count", "ksplice_older_vmlinux")],
    ["the kernel's", ["count"], symbol("count", 0x1000n)],
    ["a function of that name", ["count"], held("count", "ksplice_old_vmlinux", "t")],
    ["a flag that keeps a message back", ["__already_done.5"], held("__already_done.5", "ksplice_old_vmlinux")],
    ["the module's own structure", ["__this_module"], held("__this_module", "ksplice_old_vmlinux", "d")],
  ])("is none: %s", (_, names, there) => {
    expect(anew(names, [there])).toEqual([]);
  });

  it("is none that is a constant", () => {
    expect(anew(["table"], [held("table", "ksplice_old_vmlinux", "d")], SHF_ALLOC)).toEqual([]);
  });
});
