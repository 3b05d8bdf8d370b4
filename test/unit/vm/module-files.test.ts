import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { moduleName } from "../../../src/host/module-file.js";
import { ModuleFiles, parseDepends } from "../../../vm/module-files.js";

/** The bytes that the harness reads of a module: its .modinfo. */
const moduleBytes = (name: string, depends: string) => Buffer.from(`\x7fELF\0license=GPL\0depends=${depends}\0name=${name}\0`);

test.each([
  ["drivers/i2c/i2c-dev.ko.xz", "i2c_dev"],
  ["kernel/net/9p/9p.ko", "9p"],
  ["virtio_pci", "virtio_pci"],
])("%s is module %s", (path, name) => {
  expect(moduleName(path)).toBe(name);
});

test.each([
  ["", []],
  ["a", ["a"]],
  ["a,b-c", ["a", "b-c"]],
])("depends=%s", (text, expected) => {
  expect(parseDepends(moduleBytes("m", text))).toEqual(expected);
});

test("a module of a further directory counts like the image's; the image's own comes first", async () => {
  const top = mkdtempSync(join(tmpdir(), "ksplice-modules-"));
  try {
    for (const [path, depends] of [
      ["image/netfs.ko", ""],
      ["further/9p.ko", "netfs"],
      ["further/netfs.ko", "no-such-module"],
    ] as const) {
      mkdirSync(join(top, path, ".."), { recursive: true });
      writeFileSync(join(top, path), moduleBytes("x", depends));
    }
    expect((await ModuleFiles.read(join(top, "image"))).has("9p")).toBe(false);
    const modules = await ModuleFiles.read(join(top, "image"), [join(top, "further")]);
    expect(modules.has("9p")).toBe(true);
    expect((await modules.withDependencies(["9p"])).map(({ name }) => name)).toEqual(["netfs", "9p"]);
  } finally {
    rmSync(top, { recursive: true });
  }
});

describe("a directory of modules", () => {
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "ksplice-modules-"));
    mkdirSync(join(directory, "kernel/net"), { recursive: true });
    const write = (name: string, depends: string) => {
      writeFileSync(join(directory, "kernel/net", `${name}.ko`), moduleBytes(name, depends));
    };
    write("top", "left,right");
    write("left", "bottom");
    write("right", "bottom,inside");
    write("bottom-most", "");
    write("bottom", "bottom_most");
    execFileSync("xz", [join(directory, "kernel/net/bottom.ko")]);
    writeFileSync(join(directory, "modules.builtin"), "kernel/drivers/inside.ko\n");
  });

  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  test("dependencies come first, each once, built-in ones not at all", async () => {
    const files = await (await ModuleFiles.read(directory)).withDependencies(["top", "inside"]);
    expect(files.map(({ name }) => name)).toEqual(["bottom_most", "bottom", "left", "right", "top"]);
    expect(Buffer.from(files[1]?.data ?? []).toString()).toContain("name=bottom");
  });

  test("a module that is not there is refused by name", async () => {
    const modules = await ModuleFiles.read(directory);
    await expect(modules.withDependencies(["nowhere"])).rejects.toMatchObject({ code: "vm-no-module", message: /nowhere/ });
  });

  test("a directory that is not there is refused", async () => {
    await expect(ModuleFiles.read(join(directory, "none"))).rejects.toMatchObject({ code: "vm-no-kernel" });
  });
});
