import { describe, expect, it } from "vitest";
import { R_X86_64_PLT32, SHF_ALLOC, SHF_EXECINSTR } from "../../../src/elf/constants.js";
import type { ElfObject } from "../../../src/elf/model.js";
import { matchUnit } from "../../../src/match/match-unit.js";
import { makeFunction, makeObject, makeSection } from "../../support/elf-builder.js";
import { FakeKernel, TEXT_START } from "./fake-kernel.js";

/** Matching a unit of which an applied update has replaced a function: the newest code counts, and what only it has. */

const MODULE = "ksplice_first_vmlinux";
const MODULE_START = 0xffffffffc0000000n;

/** `foo` jumps to its cold piece, calls `helper`, and returns; `tag` tells one version from the other. */
function unit(tag: number, helperIsThere: boolean): ElfObject {
  const text = { flags: SHF_ALLOC | SHF_EXECINSTR, align: 16 };
  const cold = makeSection(".text.unlikely.foo", [0xb8, tag, 0, 0, 0, 0xc3], text);
  const coldSymbol = makeFunction("foo.cold", cold);
  const helper = makeSection(".text.helper", [0xb8, 7, 0, 0, 0, 0xc3, 0x90, 0x90, 0x90, 0x90], text);
  const helperSymbol = makeFunction("helper", helper);
  const foo = makeSection(
    ".text.foo",
    [0xb8, tag, 0, 0, 0, 0x0f, 0x84, 0, 0, 0, 0, ...(helperIsThere ? [0xe8, 0, 0, 0, 0] : []), 0xc3],
    text,
  );
  foo.relocations = [
    { offset: 7, type: R_X86_64_PLT32, symbol: coldSymbol, addend: -4 },
    ...(helperIsThere ? [{ offset: 12, type: R_X86_64_PLT32, symbol: helperSymbol, addend: -4 }] : []),
  ];
  const parts = helperIsThere ? { sections: [helper], symbols: [helperSymbol] } : { sections: [], symbols: [] };
  return makeObject([foo, cold, ...parts.sections], [makeFunction("foo", foo), coldSymbol, ...parts.symbols]);
}

describe("a unit whose function an applied update replaced", () => {
  const kernel = new FakeKernel();
  kernel.load(unit(1, false), TEXT_START);
  kernel.load(unit(2, true), MODULE_START, MODULE);
  kernel.redirect(kernel.addrOf("foo"), kernel.addrOf("foo", MODULE));
  kernel.applied.set(MODULE, "vmlinux");

  it("matches the newest code, its cold piece and the function that came with it", () => {
    const match = matchUnit(unit(2, true), { path: "a.o", target: "vmlinux" }, kernel);
    expect(match).toMatchObject({ kind: "matched", statistics: { matched: 3 } });
    if (match.kind !== "matched") return;
    for (const name of ["foo", "foo.cold", "helper"]) expect(match.functions.get(name)?.addr).toBe(kernel.addrOf(name, MODULE));
  });

  it("does not match the code that was replaced", () => {
    expect(matchUnit(unit(1, false), { path: "a.o", target: "vmlinux" }, kernel).kind).toBe("mismatch");
  });

  it("does not take the update's code for that of another target", () => {
    expect(matchUnit(unit(2, true), { path: "a.o", target: "other" }, kernel).kind).toBe("mismatch");
  });
});
