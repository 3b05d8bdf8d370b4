import { describe, expect, it } from "vitest";
import { R_X86_64_PC32 } from "../../../../src/arch/machine/x86-64.js";
import { STB_GLOBAL } from "../../../../src/elf/constants.js";
import { parseObject } from "../../../../src/elf/parse-object.js";
import { writeObject } from "../../../../src/elf/write-object.js";
import { addExportTables, findLicenceStyle, type LicenceStyle, type ModuleExport } from "../../../../src/kbuild/module/export-table.js";
import { makeFunction, makeObject, makeSection, makeUndefined } from "../../../support/elf-builder.js";

function moduleWith(exports: readonly ModuleExport[], style: LicenceStyle = "tables") {
  const text = makeSection(".text", [0xc3]);
  const module = makeObject([text], [makeFunction("added", text, { bind: STB_GLOBAL }), makeUndefined("a.o:old")], "new.ko");
  addExportTables(module, exports, style);
  // As the kernel's loader will see it.
  return parseObject(writeObject(module), "new.ko");
}

const EXPORTS: readonly ModuleExport[] = [
  { name: "old", symbol: "a.o:old", isGpl: true, namespace: "" },
  { name: "added", symbol: "added", isGpl: true, namespace: "CORE" },
  { name: "free", symbol: "added", isGpl: false, namespace: "" },
];

function entriesOf(module: ReturnType<typeof moduleWith>, table: string): string[] {
  const strings = module.sections.find(({ name }) => name === "__ksymtab_strings");
  const text = (offset: number): string => {
    const data = strings?.data ?? new Uint8Array(0);
    return new TextDecoder().decode(data.subarray(offset, data.indexOf(0, offset)));
  };
  return (module.sections.find(({ name }) => name === table)?.relocations ?? []).map(({ offset, type, symbol, addend }) => {
    expect(type).toBe(R_X86_64_PC32);
    return `${offset} ${symbol.home === strings ? JSON.stringify(text(addend)) : symbol.name}`;
  });
}

describe("the tables of a module's exports", () => {
  it("have an entry of three distances for each, by licence, in the order of the names", () => {
    const module = moduleWith(EXPORTS);
    expect(entriesOf(module, "__ksymtab_gpl")).toEqual(["0 added", '4 "added"', '8 "CORE"', "12 a.o:old", '16 "old"', '20 ""']);
    expect(entriesOf(module, "__ksymtab")).toEqual(["0 added", '4 "free"', '8 ""']);
    expect(module.sections.map(({ name }) => name)).not.toContain("__kflagstab");
  });

  it("are one, with a byte for each entry in another, where the kernel tells licences so", () => {
    const module = moduleWith(EXPORTS, "flags");
    const entries = ["0 added", '4 "added"', '8 "CORE"', "12 added", '16 "free"', '20 ""', "24 a.o:old", '28 "old"', '32 ""'];
    expect(entriesOf(module, "__ksymtab")).toEqual(entries);
    expect([...(module.sections.find(({ name }) => name === "__kflagstab")?.data ?? [])]).toEqual([1, 0, 1]);
    expect(module.sections.map(({ name }) => name)).not.toContain("__ksymtab_gpl");
  });

  it.each([
    ["tables", "SECTIONS {\n __ksymtab_gpl 0 : { *(SORT(___ksymtab_gpl+*)) }\n}"],
    ["flags", "SECTIONS {\n __ksymtab 0 : { *(SORT(___ksymtab+*)) }\n __kflagstab 0 : ALIGN(1) { *(SORT(___kflagstab+*)) }\n}"],
  ])("are told apart by the kernel's own script for modules: %s", (style, script) => {
    expect(findLicenceStyle(script)).toBe(style);
  });

  it("are not made where nothing is exported", () => {
    expect(moduleWith([]).sections.map(({ name }) => name)).toEqual([".text"]);
  });

  it("are a bug for a symbol that is not there", () => {
    expect(() => moduleWith([{ name: "x", symbol: "x", isGpl: true, namespace: "" }])).toThrow("no symbol x");
  });
});
