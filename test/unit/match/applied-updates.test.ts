import { describe, expect, it } from "vitest";
import { R_X86_64_PLT32 } from "../../../src/arch/machine/x86-64.js";
import { SHF_ALLOC, SHF_EXECINSTR } from "../../../src/elf/constants.js";
import type { ElfObject } from "../../../src/elf/model.js";
import { matchUnit } from "../../../src/match/match-unit.js";
import { compileObject, GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS } from "../../support/compile-object.js";
import { makeFunction, makeObject, makeSection } from "../../support/elf-builder.js";
import { FakeKernel, TEXT_START } from "../../support/fake-kernel.js";

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

describe("a jump into a function that an update replaced", () => {
  /** `foo` and its cold piece, which jumps back into it. */
  const unit = (tag: number): ElfObject => {
    const text = { flags: SHF_ALLOC | SHF_EXECINSTR, align: 16 };
    const cold = makeSection(".text.unlikely.foo", [0xb8, tag, 0, 0, 0, 0xe9, 0, 0, 0, 0], text);
    const foo = makeSection(".text.foo", [0xb8, tag, 0, 0, 0, 0x0f, 0x84, 0, 0, 0, 0, 0x90, 0xc3], text);
    const [coldSymbol, fooSymbol] = [makeFunction("foo.cold", cold), makeFunction("foo", foo)];
    foo.relocations = [{ offset: 7, type: R_X86_64_PLT32, symbol: coldSymbol, addend: -4 }];
    cold.relocations = [{ offset: 6, type: R_X86_64_PLT32, symbol: fooSymbol, addend: 11 - 4 }];
    return makeObject([foo, cold], [fooSymbol, coldSymbol]);
  };

  it.each([
    ["must lead where the source says", 0, "matched"],
    ["may not lead to another place of the new code", 1, "mismatch"],
  ])("%s", (_, delta, kind) => {
    const kernel = new FakeKernel();
    kernel.load(unit(1), TEXT_START);
    kernel.load(unit(2), MODULE_START, MODULE);
    kernel.redirect(kernel.addrOf("foo"), kernel.addrOf("foo", MODULE));
    kernel.applied.set(MODULE, "vmlinux");
    const field = kernel.addrOf("foo.cold", MODULE) + 6n;
    const [low = 0] = kernel.read(field, 1) ?? [];
    kernel.poke(field, [low + delta]);
    expect(matchUnit(unit(2), { path: "a.o", target: "vmlinux" }, kernel).kind).toBe(kind);
  });
});

describe("a constant that the compiler numbered", () => {
  // As `__func__` is: two functions of the header's inline share it.
  const unit = compileObject(
    `
extern void tell(const char *);
static inline void say(int x) { static const char words[] = "some words"; if (x) tell(words); }
__attribute__((noinline)) int one(int x) { say(x); return x + 1; }
__attribute__((noinline)) int two(int x) { say(x); return x + 2; }
`,
    "unit.o",
  );
  const words = unit.symbols.find(({ name }) => name.startsWith("words."))?.name ?? "";

  function kernelWithCopy(module: string | undefined, bytes: string): FakeKernel {
    const kernel = new FakeKernel();
    kernel.load(unit, TEXT_START);
    const copy = MODULE_START + 0x8000n;
    kernel.place(copy, Buffer.from(`${bytes}\0`));
    kernel.define(words, copy, "r", module);
    // Make `two` refer to the copy.
    const start = kernel.addrOf("two");
    const code = kernel.read(start, 24) ?? new Uint8Array(0);
    const view = new DataView(code.buffer, code.byteOffset);
    const low = Number(BigInt.asUintN(32, kernel.addrOf(words)));
    for (let at = 0; at + 4 <= code.length; at++)
      if (view.getUint32(at, true) === low) view.setUint32(at, Number(BigInt.asUintN(32, copy)), true);
    kernel.poke(start, [...code]);
    kernel.applied.set(MODULE, "vmlinux");
    return kernel;
  }

  it.each([
    ["may be there a second time in an update's module", MODULE, "some words", "matched"],
    ["may not be another one there", MODULE, "same words", "mismatch"],
    ["may not be there twice in the kernel itself", undefined, "some words", "mismatch"],
  ])("%s", (_, module, bytes, kind) => {
    expect(matchUnit(unit, { path: "a.o", target: "vmlinux" }, kernelWithCopy(module, bytes)).kind).toBe(kind);
  });
});

describe("a function that is settled by its neighbours", () => {
  const HELPER = "static __attribute__((noinline)) int helper(int *p) { *p += 1; return *p * 3; }\n";
  const flags = [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS, "-fno-toplevel-reorder"];
  const text = (brought: string): string =>
    `int low(int x) { return x + 11; } ${brought} ${HELPER} int high(int x) { return x + 13; } int (*hook)(int *) = helper;`;

  it("is so even if one that an update brought stands next to it in the source", () => {
    const kernel = new FakeKernel();
    kernel.load(compileObject(`${HELPER} int before(int *p) { return helper(p) + 1; }`, "a.o"), TEXT_START);
    kernel.load(compileObject(text(""), "unit.o", GCC, flags), TEXT_START + 0x10000n);
    kernel.load(compileObject(`${HELPER} int after(int *p) { return helper(p) + 2; }`, "b.o"), TEXT_START + 0x20000n);
    kernel.load(compileObject("int fresh(int x) { return x ^ 77; }", "new.o"), MODULE_START, MODULE);
    kernel.applied.set(MODULE, "vmlinux");
    const post = compileObject(text("int fresh(int x) { return x ^ 77; }"), "unit.o", GCC, flags);
    const match = matchUnit(post, { path: "unit.o", target: "vmlinux" }, kernel);
    expect(match.kind === "matched" && match.functions.get("helper")?.addr).toBe(kernel.symbolsNamed("helper")[1]?.addr);
  });
});
