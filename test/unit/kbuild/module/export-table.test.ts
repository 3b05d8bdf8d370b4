import { describe, expect, it } from "vitest";
import { R_X86_64_PC32 } from "../../../../src/arch/machine/x86-64.js";
import { STB_GLOBAL } from "../../../../src/elf/constants.js";
import { parseObject } from "../../../../src/elf/parse-object.js";
import { writeObject } from "../../../../src/elf/write-object.js";
import { addExportTables, type ModuleExport } from "../../../../src/kbuild/module/export-table.js";
import { makeFunction, makeObject, makeSection, makeUndefined } from "../../../support/elf-builder.js";

function moduleWith(exports: readonly ModuleExport[]) {
  const text = makeSection(".text", [0xc3]);
  const module = makeObject([text], [makeFunction("added", text, { bind: STB_GLOBAL }), makeUndefined("a.o:old")], "new.ko");
  addExportTables(module, exports);
  // As the kernel's loader will see it.
  return parseObject(writeObject(module), "new.ko");
}

describe("the tables of a module's exports", () => {
  it("have an entry of three distances for each, by licence, in the order of the names", () => {
    const module = moduleWith([
      { name: "old", symbol: "a.o:old", isGpl: true, namespace: "" },
      { name: "added", symbol: "added", isGpl: true, namespace: "CORE" },
      { name: "free", symbol: "added", isGpl: false, namespace: "" },
    ]);
    const strings = module.sections.find(({ name }) => name === "__ksymtab_strings");
    const text = (offset: number): string => {
      const data = strings?.data ?? new Uint8Array(0);
      return new TextDecoder().decode(data.subarray(offset, data.indexOf(0, offset)));
    };
    const entries = (table: string): string[] =>
      (module.sections.find(({ name }) => name === table)?.relocations ?? []).map(({ offset, type, symbol, addend }) => {
        expect(type).toBe(R_X86_64_PC32);
        return `${offset} ${symbol.home === strings ? JSON.stringify(text(addend)) : symbol.name}`;
      });
    expect(entries("__ksymtab_gpl")).toEqual(["0 added", '4 "added"', '8 "CORE"', "12 a.o:old", '16 "old"', '20 ""']);
    expect(entries("__ksymtab")).toEqual(["0 added", '4 "free"', '8 ""']);
  });

  it("are not made where nothing is exported", () => {
    expect(moduleWith([]).sections.map(({ name }) => name)).toEqual([".text"]);
  });

  it("are a bug for a symbol that is not there", () => {
    expect(() => moduleWith([{ name: "x", symbol: "x", isGpl: true, namespace: "" }])).toThrow("no symbol x");
  });
});
