import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeObject } from "../../../../src/elf/write-object.js";
import { definedFunctions, findContradiction } from "../../../../src/kbuild/reach/image-witness.js";
import type { KernelTree } from "../../../../src/tree/kernel-tree.js";
import { makeFunction, makeObject, makeSection } from "../../../support/elf-builder.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

test("functions that a file defines", () => {
  const text = `int declared_only(int a);
static int first_one(void)
{
	called_within(1);
}

struct thing *
second_one(struct thing *t,
	   int b)
{
}
EXPORT_SYMBOL(second_one);
MODULE_LICENSE("GPL")
void __init short_(void) { return; }
typedef int (*handler_type)(int);
`;
  expect(definedFunctions(text)).toEqual(["first_one", "second_one"]);
});

describe("the image", () => {
  const source = temporaryDirectory();
  const configDir = join(source, "ksplice");
  const modules = join(configDir, "image/lib/modules/6.1/kernel/drivers/gpu/amd");
  mkdirSync(modules, { recursive: true });
  const text = makeSection(".text", [0x90, 0xc3]);
  writeFileSync(join(modules, "amd.ko"), writeObject(makeObject([text], [makeFunction("shown_one", text)], "amd.ko")));
  writeFiles(source, {
    "drivers/gpu/amd/display/shown.c": "int shown_one(void)\n{\n}\n",
    "drivers/gpu/amd/display/other.c": "int other_one(void)\n{\n}\n",
    "drivers/gpu/amd/again.c": "int shown_one(void)\n{\n}\n",
  });
  const tree: KernelTree = {
    source,
    original: source,
    configDir,
    configFile: join(configDir, ".config"),
    symbolsFile: undefined,
    buildDir: undefined,
    makeFlags: [],
  };

  test("holds what a module of the directory above has", async () => {
    const found = await findContradiction(tree, "drivers/gpu/amd/display/shown.c", () => false);
    expect(found).toEqual({ functions: ["shown_one"], holder: "drivers/gpu/amd/amd.ko" });
    expect(await findContradiction(tree, "drivers/gpu/amd/display/other.c", () => false)).toBeUndefined();
  });

  test("holds what a compressed module has", async () => {
    execFileSync("xz", [join(modules, "amd.ko")]);
    const found = await findContradiction(tree, "drivers/gpu/amd/display/shown.c", () => false);
    expect(found).toEqual({ functions: ["shown_one"], holder: "drivers/gpu/amd/amd.ko.xz" });
  });

  test("is no witness of what another file, that is compiled, defines", async () => {
    expect(await findContradiction(tree, "drivers/gpu/amd/display/shown.c", (file) => file === "drivers/gpu/amd/again.c")).toBeUndefined();
  });
});
