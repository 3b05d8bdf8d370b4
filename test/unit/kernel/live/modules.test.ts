import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readLoadedModules } from "../../../../src/kernel/live/modules.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

const top = temporaryDirectory();

describe("the modules that are loaded", () => {
  test("are read as the kernel lists them", () => {
    const root = join(top, "some");
    writeFiles(root, {
      "proc/modules": "pktgen 61440 0 - Live 0xffffffffc0401000\nksplice_a_vmlinux 16384 - - Loading 0xffffffffc0300000 (OE)\n",
    });
    expect(readLoadedModules(root)).toEqual([
      { name: "pktgen", addr: 0xffffffffc0401000n, size: 61440, refcount: 0, state: "Live" },
      { name: "ksplice_a_vmlinux", addr: 0xffffffffc0300000n, size: 16384, refcount: 0, state: "Loading" },
    ]);
  });

  test("are none where the kernel was built without modules, and has no list", () => {
    mkdirSync(join(top, "none/proc"), { recursive: true });
    expect(readLoadedModules(join(top, "none"))).toEqual([]);
  });

  test("are not none where the list cannot be read", () => {
    mkdirSync(join(top, "unreadable/proc/modules"), { recursive: true });
    expect(() => readLoadedModules(join(top, "unreadable"))).toThrow(/EISDIR/);
  });
});
