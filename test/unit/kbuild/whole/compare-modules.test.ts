import { expect, test } from "vitest";
import { X86_64 } from "../../../../src/arch/machine/x86-64.js";
import { SHF_WRITE, SHF_ALLOC, SHT_NOBITS, SHT_NOTE, STB_GLOBAL, STT_OBJECT } from "../../../../src/elf/constants.js";
import type { ElfObject } from "../../../../src/elf/model.js";
import { encodeVersions } from "../../../../src/elf/module-versions.js";
import { compareModules } from "../../../../src/kbuild/whole/compare-modules.js";
import { makeFunction, makeObject, makeSection, makeUndefined } from "../../../support/elf-builder.js";

const RELATIVE = X86_64.distance;

/** What a test changes of a module; the rest is the same in all of them. */
interface Sample {
  readonly code?: readonly number[];
  readonly modinfo?: readonly string[];
  readonly crc?: number;
  readonly callee?: string;
  readonly name?: string;
  readonly bss?: number;
  readonly buildId?: number;
  readonly further?: string;
}

function sample(given: Sample): ElfObject {
  const { code = [0x90, 0xc3, 0x90, 0xe8, 0, 0, 0, 0], callee = "printk", name = "second", bss = 8, buildId = 1 } = given;
  const { modinfo = ["license=GPL", "name=sample", "intree=Y"], crc = 0x11, further } = given;
  const text = makeSection(".text", code);
  const target = makeUndefined(callee);
  text.relocations.push({ offset: 4, type: RELATIVE, symbol: target, addend: -4 });
  const zeros = makeSection(".bss", [], { type: SHT_NOBITS, flags: SHF_ALLOC | SHF_WRITE, size: bss, align: 8 });
  const sections = [
    text,
    zeros,
    makeSection(".modinfo", Buffer.from(modinfo.map((entry) => `${entry}\0`).join(""))),
    makeSection("__versions", encodeVersions(new Map([["printk", crc]]))),
    makeSection(".note.gnu.build-id", [buildId], { type: SHT_NOTE }),
    makeSection(".debug_info", [buildId], { flags: 0 }),
    ...(further === undefined ? [] : [makeSection(further, [1])]),
  ];
  const symbols = [
    makeFunction("first", text, { size: 2 }),
    makeFunction(name, text, { value: 2, size: 6, bind: STB_GLOBAL }),
    makeFunction("counter", zeros, { type: STT_OBJECT, size: 8 }),
    target,
  ];
  return makeObject(sections, symbols, "sample.ko");
}

test.each<[string, Sample]>([
  ["another build id, and debug information", { buildId: 2 }],
  ["what modpost says of a source's place and version", { modinfo: ["srcversion=AB", "license=GPL", "name=sample"] }],
  ["types, which are left out", { further: ".BTF" }],
])("a module is like the shipped one with %s", (_, built) => {
  expect(compareModules(sample({}), sample(built))).toEqual([]);
});

test.each<[string, Sample, string[]]>([
  ["a byte of a function", { code: [0x90, 0xc3, 0x91, 0xe8, 0, 0, 0, 0] }, [".text second: another byte at +0x2"]],
  [
    "code that is longer",
    { code: [0x90, 0xc3, 0x90, 0xe8, 0, 0, 0, 0, 0x90] },
    [".text -: 8 bytes in the shipped one, 9 in the built one: the first difference at +0x8"],
  ],
  [
    "who is called",
    { callee: "panic" },
    [
      `.text second: ${RELATIVE.name} at +0x4 to printk+-4 in the shipped one, ${RELATIVE.name} at +0x4 to panic+-4 in the built one, at +0x4`,
    ],
  ],
  [
    "a function's name",
    { name: "other" },
    [
      "the symbol table -: second in .text+0x2, 6 bytes is in the shipped one only",
      "the symbol table -: other in .text+0x2, 6 bytes is in the built one only",
    ],
  ],
  [
    "the size of what is zero at first",
    { bss: 16 },
    [".bss -: 8 bytes in the shipped one, 16 in the built one: the first difference at +0x8"],
  ],
  [
    "the version of an import",
    { crc: 0x12 },
    ["__versions -: printk 0x11 is in the shipped one only", "__versions -: printk 0x12 is in the built one only"],
  ],
  [
    "the licence",
    { modinfo: ["license=Proprietary", "name=sample", "intree=Y"] },
    [".modinfo -: license=GPL is in the shipped one only", ".modinfo -: license=Proprietary is in the built one only"],
  ],
  ["a section", { further: ".init.text" }, [".init.text -: only the built one has it"]],
])("a module is not like the shipped one if %s differs", (_, built, differences) => {
  const found = compareModules(sample({}), sample(built));
  expect(found.map(({ section, symbol, what }) => `${section} ${symbol ?? "-"}: ${what}`)).toEqual(differences);
});
