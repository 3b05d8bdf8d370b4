import { describe, expect, test } from "vitest";
import { R_X86_64_PLT32, X86_64 } from "../../../../src/arch/machine/x86-64.js";
import {
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHF_WRITE,
  SHT_PROGBITS,
  STB_GLOBAL,
  STB_LOCAL,
  STT_FUNC,
  STT_NOTYPE,
  STT_OBJECT,
} from "../../../../src/elf/constants.js";
import { UNDEFINED, type ElfObject, type ElfSection, type ElfSymbol } from "../../../../src/elf/model.js";
import { parseVersions } from "../../../../src/elf/module-versions.js";
import { parseObject } from "../../../../src/elf/parse-object.js";
import { writeObject } from "../../../../src/elf/write-object.js";
import { declareImports, readModinfo, renameModule, writeVersions } from "../../../../src/kbuild/module/module-metadata.js";
import { parseModuleSymvers } from "../../../../src/kbuild/module/module-symvers.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function section(name: string, flags: number, data: Uint8Array): ElfSection {
  return { name, type: SHT_PROGBITS, flags, align: 8, entsize: 0, data, size: data.length, relocations: [] };
}

/** A module as the template is: named `frame`, using `printk`, `ksplice_register` and `nobody_exports_this`. */
function frame(): ElfObject {
  const thisModule = new Uint8Array(200);
  thisModule.set(bytes("frame"), 24);
  thisModule.set([1, 2, 3], 24 + 56);
  const sections = [
    section(".text", SHF_ALLOC | SHF_EXECINSTR, new Uint8Array(16)),
    section(".modinfo", SHF_ALLOC, bytes("license=GPL\0depends=ksplice\0name=frame\0vermagic=6.1 SMP\0")),
    section("__versions", SHF_ALLOC, new Uint8Array(0)),
    section(".gnu.linkonce.this_module", SHF_ALLOC | SHF_WRITE, thisModule),
  ];
  const [text, modinfo] = sections;
  if (text === undefined || modinfo === undefined) throw new Error("unreachable");
  const undefinedSymbol = (name: string): ElfSymbol => ({
    name,
    bind: STB_GLOBAL,
    type: STT_NOTYPE,
    other: 0,
    home: UNDEFINED,
    value: 0,
    size: 0,
  });
  const symbols: ElfSymbol[] = [
    { name: "__UNIQUE_ID_name1", bind: STB_LOCAL, type: STT_OBJECT, other: 0, home: modinfo, value: 28, size: 11 },
    { name: "f", bind: STB_LOCAL, type: STT_FUNC, other: 0, home: text, value: 0, size: 16 },
    ...["printk", "i2c_transfer", "ksplice_register", "nobody_exports_this", "x".repeat(60)].map(undefinedSymbol),
  ];
  for (const symbol of symbols.slice(2)) text.relocations.push({ offset: 0, type: R_X86_64_PLT32, symbol, addend: -4 });
  const module = { fileName: "frame.ko", machine: X86_64, sections, symbols };
  writeVersions(module, new Map([["ksplice_register", 0x11]]));
  return module;
}

const SYMVERS = parseModuleSymvers(
  [
    "0x000000aa\tprintk\tvmlinux\tEXPORT_SYMBOL\t",
    "0xbbbbbbbb\ti2c_transfer\tdrivers/i2c/i2c-core\tEXPORT_SYMBOL\tI2C_NS",
    "0x000000cc\tunused\tdrivers/other\tEXPORT_SYMBOL_GPL\t",
    `0x000000dd\t${"x".repeat(60)}\tvmlinux\tEXPORT_SYMBOL\t`,
  ].join("\n"),
);

test("Module.symvers gives CRC, owner as the kernel spells it, and namespace", () => {
  expect(SYMVERS.get("i2c_transfer")).toEqual({ crc: 0xbbbbbbbb, name: "i2c_transfer", owner: "i2c_core", namespace: "I2C_NS" });
});

describe("a module", () => {
  test("imports the namespaces of what other modules of the update offer, and leaves the CRCs out", () => {
    const module = frame();
    declareImports(module, SYMVERS, [
      { name: "nobody_exports_this", namespace: "NEW_NS" },
      { name: "unused_here", namespace: "OTHER_NS" },
    ]);
    expect(readModinfo(module).flatMap(([tag, value]) => (tag === "import_ns" ? [value] : []))).toEqual(["I2C_NS", "NEW_NS"]);
    expect([...parseVersions(module).keys()]).not.toContain("nobody_exports_this");
  });

  test("leaves what is exported for named modules to the prelinker: the loader gives it to no other", () => {
    const module = frame();
    declareImports(
      module,
      parseModuleSymvers(
        "0x000000aa\tprintk\tvmlinux\tEXPORT_SYMBOL_GPL\tmodule:kvm,kvm-amd\n0x1\ti2c_transfer\tdrivers/i2c/i2c-core\tEXPORT_SYMBOL\tmodule:i2c-dev",
      ),
    );
    expect([...parseVersions(module).keys()]).toEqual(["ksplice_register"]);
    expect(readModinfo(module).filter(([tag]) => tag === "import_ns")).toEqual([]);
    expect(readModinfo(module).find(([tag]) => tag === "depends")).toEqual(["depends", "ksplice"]);
  });

  test("is renamed in struct module and in its information", () => {
    const module = frame();
    renameModule(module, "ksplice_abc_vmlinux");
    const data = module.sections[3]?.data ?? new Uint8Array();
    expect(new TextDecoder().decode(data.subarray(24, 24 + 20))).toBe("ksplice_abc_vmlinux\0");
    expect([...data.subarray(24 + 55, 24 + 59)]).toEqual([0, 1, 2, 3]);
    expect(readModinfo(module).find(([tag]) => tag === "name")).toEqual(["name", "ksplice_abc_vmlinux"]);
    expect(module.symbols.map((symbol) => symbol.name)).not.toContain("__UNIQUE_ID_name1");
  });

  test("declares the CRCs of what it uses, and keeps what it knew", () => {
    const module = frame();
    declareImports(module, SYMVERS);
    expect([...parseVersions(module)]).toEqual([
      ["i2c_transfer", 0xbbbbbbbb],
      ["ksplice_register", 0x11],
      ["printk", 0xaa],
    ]);
    expect(module.sections[2]?.size).toBe(3 * 64);
  });

  test("declares what it uses of others for a kernel without symbol versions, too", () => {
    const module = frame();
    const versions = module.sections.findIndex(({ name }) => name === "__versions");
    module.sections.splice(versions, 1);
    const withoutCrcs = new Map([...SYMVERS].map(([name, symbol]) => [name, { ...symbol, crc: 0 }]));
    declareImports(module, withoutCrcs);
    const written = parseObject(writeObject(module), "frame.ko");
    expect([...parseVersions(written)]).toEqual([
      ["i2c_transfer", 0],
      ["printk", 0],
    ]);
  });

  test("declares the modules and namespaces that it uses", () => {
    const module = frame();
    declareImports(module, SYMVERS);
    expect(readModinfo(module)).toEqual([
      ["license", "GPL"],
      ["name", "frame"],
      ["vermagic", "6.1 SMP"],
      ["depends", "ksplice,i2c_core"],
      ["import_ns", "I2C_NS"],
    ]);
  });
});
