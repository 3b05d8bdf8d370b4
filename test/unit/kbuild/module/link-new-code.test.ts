import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { UNDEFINED } from "../../../../src/elf/model.js";
import { parseObject } from "../../../../src/elf/parse-object.js";
import { linkNewCode } from "../../../../src/kbuild/module/link-new-code.js";
import { parseVersions } from "../../../../src/elf/module-versions.js";
import { readModinfo } from "../../../../src/kbuild/module/module-metadata.js";
import { compileBytes, GCC } from "../../../support/compile-object.js";
import { fakeBuild } from "../../../support/fake-tree-source.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

const TEMPLATE = `
struct { int state; char name[56]; char rest[8]; } __this_module __attribute__((section(".gnu.linkonce.this_module"))) = { 1, "frame", "rest" };
static const char info[] __attribute__((section(".modinfo"), used)) = "license=GPL\\0name=frame\\0depends=ksplice";
static const struct { unsigned long crc; char name[56]; } v[] __attribute__((section("__versions"), used)) = { { 0x11, "ksplice_register" } };
int ksplice_register(void *part);
extern char ksplice_part[];
int init_module(void) { return ksplice_register(ksplice_part); }
`;
const FLAGS = ["-O1", "-fno-pic", "-mcmodel=kernel", "-ffunction-sections"];
const compile = (source: string): Uint8Array => compileBytes(source, GCC ?? "gcc", FLAGS);

const cacheDir = temporaryDirectory();
const build = fakeBuild(temporaryDirectory(), cacheDir);
const template = compile(TEMPLATE);
const one = { unit: "net/one.o", bytes: compile("int printk(int); int other(void); int one(void) { return printk(other()); }") };
const two = { unit: "net/two.o", bytes: compile("int other(void) { return 2; }") };
beforeAll(() => {
  writeFiles(join(cacheDir, "out"), {
    "scripts/module.lds": "SECTIONS { /DISCARD/ : { *(.discard) *(.discard.*) } }\n",
    "Module.symvers": "0x000000aa\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n",
  });
});

describe("new code", () => {
  test("is linked with the template, named, and declares what it imports", async () => {
    const bytes = await linkNewCode({ template, objects: [one, two], moduleName: "ksplice_abc_vmlinux", build });
    const module = parseObject(bytes, "module");
    const undefinedNames = module.symbols.filter((symbol) => symbol.home === UNDEFINED).map((symbol) => symbol.name);
    expect(undefinedNames.sort()).toEqual(["ksplice_part", "ksplice_register", "printk"]);
    expect(readModinfo(module)).toEqual([
      ["license", "GPL"],
      ["name", "ksplice_abc_vmlinux"],
      ["depends", "ksplice"],
    ]);
    expect([...parseVersions(module).keys()]).toEqual(["ksplice_register", "printk"]);
    expect(module.sections.map((section) => section.name)).not.toContain(".comment");
    expect(module.sections.map((section) => section.name)).toContain(".text.one");
  });

  test("gives the same bytes from the same input", async () => {
    const request = { template, objects: [one, two], moduleName: "ksplice_abc_vmlinux", build };
    expect(await linkNewCode(request)).toEqual(await linkNewCode(request));
  });

  test("that does not link is refused with the linker's words about the units", async () => {
    await expect(
      linkNewCode({ template, objects: [one, two, { ...two, unit: "net/three.o" }], moduleName: "m", build }),
    ).rejects.toMatchObject({
      code: "cannot-link",
      message: expect.stringMatching(/net\/three\.o[^]*multiple definition of .other/) as string,
    });
  });

  test("takes no name that the kernel has no room for", async () => {
    await expect(linkNewCode({ template, objects: [one], moduleName: "m".repeat(56), build })).rejects.toMatchObject({
      code: "module-name-too-long",
    });
  });
});
