import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { diffObjects } from "../../../../src/diff/diff-objects.js";
import { SHF_ALLOC, SHF_MERGE, SHF_STRINGS } from "../../../../src/elf/constants.js";
import { parseObject } from "../../../../src/elf/parse-object.js";
import { writeObject } from "../../../../src/elf/write-object.js";
import { shadowWithPatch } from "../../../../src/kbuild/change/patch-tree.js";
import { compileUnit } from "../../../../src/kbuild/compile/compile-unit.js";
import { dropPlaces } from "../../../../src/kbuild/compile/drop-places.js";
import { makeObject, makeSection } from "../../../support/elf-builder.js";
import { fakeBuild, writeFakeKernel } from "../../../support/fake-tree-source.js";
import { temporaryDirectory } from "../../../support/temp-dir.js";
import { withCommand } from "../../../support/with-command.js";

const STRINGS = SHF_ALLOC | SHF_MERGE | SHF_STRINGS;

function texts(section: string, flags: number, text: string): string {
  const content = makeSection(section, new TextEncoder().encode(text), { flags, entsize: 1 });
  const object = dropPlaces(writeObject(makeObject([content], [], "a.o")), "/tmp/top", "a.o");
  return new TextDecoder().decode(parseObject(object, "a.o").sections.find(({ name }) => name === section)?.data);
}

describe("texts of an object that begin with the top of its source", () => {
  it("begin behind it, and stay where they are", () => {
    expect(texts(".rodata.str1.8", STRINGS, "a\0/tmp/top/fs/a.c\0b\0/tmp/top/b.h\0")).toBe(
      `a\0fs/a.c${"\0".repeat(10)}b\0b.h${"\0".repeat(10)}`,
    );
  });

  it.each([
    ["another directory's", ".rodata.str1.1", STRINGS, "/tmp/topmost/a.c\0"],
    ["one that has it in its midst", ".rodata.str1.1", STRINGS, "in /tmp/top/a.c\0"],
    ["data", ".rodata.path", SHF_ALLOC, "/tmp/top/a.c\0"],
  ])("are no others: %s", (_, section, flags, text) => {
    expect(texts(section, flags, text)).toBe(text);
  });
});

describe("a unit with checks that name their source file", () => {
  const source = temporaryDirectory();
  const cacheDir = temporaryDirectory();
  writeFakeKernel(source);
  const indexed = "int table[4];\nint other[8];\n";
  writeFileSync(join(source, "net/raw.c"), `${indexed}int one(int i) { return table[i]; }\nint two(int i) { return other[i]; }\n`);
  mkdirSync(join(cacheDir, "out"));
  const build = fakeBuild(source, cacheDir);
  const patch =
    "--- a/net/raw.c\n+++ b/net/raw.c\n@@ -3,2 +3,2 @@\n-int one(int i) { return table[i]; }\n+int one(int i) { return table[i] + 7; }\n int two(int i) { return other[i]; }\n";

  it("differs by what the patch changes, and not by where the patched source lies", async () => {
    const unit = await withCommand(build, { path: "net/raw.o", source: "net/raw.c", target: "vmlinux" });
    const options = ["-O2", "-fsanitize=bounds-strict", "-ffunction-sections", "-fdata-sections"];
    const compile = [...unit.command.compile.slice(0, -1), ...options, ...unit.command.compile.slice(-1)];
    const checked = { ...unit, command: { ...unit.command, compile } };
    const pre = await compileUnit(build, checked);
    const objects = await Promise.all(
      [1, 2].map(async () => {
        const patched = await shadowWithPatch(build.tree, { patch });
        const { object } = await compileUnit({ ...build, cacheDir: temporaryDirectory() }, checked, { shadow: patched });
        expect(Buffer.from(object).includes(patched.root)).toBe(false);
        await patched.dispose();
        return object;
      }),
    );
    expect(Buffer.from(pre.object).includes("net/raw.c\0")).toBe(true);
    expect(objects[0]).toEqual(objects[1]);
    const diff = diffObjects(parseObject(pre.object, "pre.o"), parseObject(objects[0] ?? new Uint8Array(0), "post.o"));
    expect(diff.functions.changed.map(({ name }) => name)).toEqual(["one"]);
  });
});
