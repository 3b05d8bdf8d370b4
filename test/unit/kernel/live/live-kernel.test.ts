import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Refusal } from "../../../../src/diagnostics.js";
import { KspliceSysfs } from "../../../../src/engine/core/ksplice-sysfs.js";
import { openLiveKernel, type LiveKernel } from "../../../../src/kernel/live/live-kernel.js";
import { tellNobody } from "../../../../src/events.js";
import { openSnapshot } from "../../../../src/kernel/snapshot/open-snapshot.js";
import { saveSnapshot } from "../../../../src/kernel/snapshot/save-snapshot.js";
import { moduleIsLoaded } from "../../../../src/engine/core/load-module.js";
import { parseModules } from "../../../../src/kernel/live/modules.js";
import { parseBuildId } from "../../../../src/elf/notes.js";
import { FakeTree, makeNotes, TEXT } from "../../../support/fake-proc.js";

let tree: FakeTree;
let root: string;

function write(path: string, content: string | Uint8Array): void {
  tree.write(path, content);
}

beforeEach(() => {
  tree = new FakeTree();
  root = tree.root;
});
afterEach(() => {
  tree.remove();
});

function refusalCode(): string {
  try {
    openLiveKernel({ root }).close();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "none";
}

describe("a kernel", () => {
  it("says what it is", () => {
    const kernel = openLiveKernel({ root });
    expect([kernel.release, kernel.machine, kernel.buildId]).toEqual(["6.1.0-47-amd64", "x86_64", "ab00ff01"]);
    expect(kernel.modules).toEqual([
      { name: "i2c_dev", addr: 0xffffffffc0595000n, size: 28672, refcount: 2, state: "Live" },
      { name: "9p", addr: 0xffffffffc057f000n, size: 81920, refcount: 1, state: "Loading" },
    ]);
    expect(kernel.moduleSections("i2c_dev")).toEqual(new Map([[".text", 0xffffffffc0595000n]]));
    expect(kernel.moduleSections("absent")).toBeUndefined();
    kernel.close();
  });

  it("gives its memory, across blocks and up to the end of a segment", () => {
    const kernel = openLiveKernel({ root });
    expect([...(kernel.read(TEXT + 0x3ffen, 4) ?? [])]).toEqual([0xfe, 0xff, 0, 1]);
    expect([...(kernel.read(TEXT + 0x8ffen, 2) ?? [])]).toEqual([0xfe, 0xff]);
    expect([...(kernel.read(0xffffffffc0000001n, 2) ?? [])]).toEqual([2, 3]);
    expect(kernel.read(TEXT + 0x8fffn, 2)).toBeUndefined();
    expect(kernel.read(TEXT - 1n, 1)).toBeUndefined();
    kernel.close();
  });

  it("gives copies: writing into one changes no later reading", () => {
    const kernel = openLiveKernel({ root });
    kernel.read(TEXT, 4)?.fill(9);
    expect([...(kernel.read(TEXT, 4) ?? [])]).toEqual([0, 1, 2, 3]);
    kernel.close();
  });

  it("follows applied updates to the newest code", () => {
    tree.applyUpdates();
    const kernel = openLiveKernel({ root });
    expect(kernel.newestCode(0xffffffff81000010n)).toBe(0xffffffffc0002000n);
    expect(kernel.newestCode(TEXT)).toBe(TEXT);
    expect([TEXT, 0xffffffff81000010n, 0xffffffffc0002000n].map((addr) => kernel.isReplacement(addr))).toEqual([false, false, true]);
    kernel.close();
  });
});

describe("a kernel that cannot be read is refused", () => {
  it.each<[string, string, () => void]>([
    [
      "kallsyms-hidden",
      "addresses hidden",
      () => {
        write("proc/kallsyms", "0000000000000000 T _text\n0000000000000000 T old_function\n");
      },
    ],
    [
      "kallsyms-absent",
      "no kallsyms",
      () => {
        rmSync(join(root, "proc/kallsyms"));
      },
    ],
    [
      "kallsyms-absent",
      "kallsyms empty",
      () => {
        write("proc/kallsyms", "");
      },
    ],
    [
      "kcore-absent",
      "no kcore",
      () => {
        rmSync(join(root, "proc/kcore"));
      },
    ],
    [
      "kcore-absent",
      "kcore is no core file",
      () => {
        write("proc/kcore", "no");
      },
    ],
    ["none", "nothing wrong", () => undefined],
  ])("with %s: %s", (code, _name, spoil) => {
    spoil();
    expect(refusalCode()).toBe(code);
  });

  it("and told why, where the kernel is locked down", () => {
    rmSync(join(root, "proc/kcore"));
    write("sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
    expect(() => openLiveKernel({ root })).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/locked down/) as string }) as Error,
    );
  });
});

describe("a kernel that tells where its functions are, and not its variables", () => {
  const MAP = "ffffffff80000000 T _stext\nffffffff80000010 T old_function\nffffffff81000000 D init_task\n";
  const open = (map?: string): LiveKernel =>
    openLiveKernel({ root, ...(map === undefined ? {} : { systemMap: { path: "System.map", bytes: Buffer.from(map) } }) });

  beforeEach(() => {
    write("proc/kallsyms", "ffffffff81000000 T _stext\nffffffff81000010 T old_function\n");
  });

  it("is refused, with the option's name", () => {
    expect(refusalCode()).toBe("kallsyms-incomplete");
    expect(() => open()).toThrow(/CONFIG_KALLSYMS_ALL/);
  });

  it("has them with its System.map", () => {
    const kernel = open(MAP);
    expect(kernel.symbolsNamed("init_task").map(({ addr }) => addr)).toEqual([0xffffffff82000000n]);
    kernel.close();
  });

  it("is refused with another's", () => {
    expect(() => open(MAP.replace("80000010", "80000020"))).toThrow(
      /System\.map is not the running kernel's System\.map: it has old_function/,
    );
  });

  it("is not asked for one where it tells", () => {
    write("proc/kallsyms", "ffffffff81000000 T _stext\nffffffff82000000 D init_task\n");
    open("no map at all").close();
  });

  it("has them in its snapshot, which needs no System.map any more", () => {
    const path = join(root, "snapshot");
    const saved = (map?: string): unknown =>
      saveSnapshot(path, {
        root,
        tell: tellNobody,
        systemMap: map === undefined ? undefined : { path: "System.map", bytes: Buffer.from(map) },
      });
    expect(() => saved()).toThrow(/CONFIG_KALLSYMS_ALL/);
    saved(MAP);
    const kernel = openSnapshot(path);
    expect(kernel.symbolsNamed("init_task").map(({ addr }) => addr)).toEqual([0xffffffff82000000n]);
    kernel.close();
  });
});

describe("updates in sysfs", () => {
  it("are listed, read and switched", () => {
    write("sys/kernel/ksplice/abc/stage", "applied\n");
    write("sys/kernel/ksplice/abc/description", "a fix\n");
    write("sys/kernel/ksplice/abc/abort_cause", "ok\n");
    write("sys/kernel/ksplice/abc/stop_ns", "130000\n");
    write("sys/kernel/ksplice/abc/functions", "raw_sendmsg ffffffff81000010 32 ffffffffc0001000 40 9 vmlinux ftrace\n");
    write("sys/kernel/ksplice/abc/writes", "raw_prot ffffffff82000040 8 vmlinux\nlimits ffffffffc0595100 16 i2c_dev\n");
    const sysfs = new KspliceSysfs(root);
    expect(sysfs.listIds()).toEqual(["abc"]);
    expect(sysfs.readUpdate("abc")).toMatchObject({
      id: "abc",
      stage: "applied",
      description: "a fix",
      abortCause: "ok",
      stopNs: 130000,
      attempts: undefined,
      functions: [
        {
          name: "raw_sendmsg",
          oldAddr: 0xffffffff81000010n,
          oldSize: 32,
          newAddr: 0xffffffffc0001000n,
          newSize: 40,
          siteOffset: 9,
          byFtrace: true,
          target: "vmlinux",
        },
      ],
      writes: [
        { name: "raw_prot", addr: 0xffffffff82000040n, size: 8, target: "vmlinux" },
        { name: "limits", addr: 0xffffffffc0595100n, size: 16, target: "i2c_dev" },
      ],
    });
    expect(sysfs.readUpdate("def")).toBeUndefined();
    sysfs.writeStage("abc", "reversed");
    expect(sysfs.readUpdate("abc")?.stage).toBe("reversed");
  });

  it("are none without the core", () => {
    expect(new KspliceSysfs(root).listIds()).toEqual([]);
  });
});

describe("modules and notes", () => {
  it("tells a loaded module from a name", () => {
    expect([moduleIsLoaded("i2c_dev", root), moduleIsLoaded("9p", root)]).toEqual([true, false]);
  });

  it("takes no build id from notes that have none, or are cut short", () => {
    expect([parseBuildId(new Uint8Array(0)), parseBuildId(makeNotes().subarray(0, 30))]).toEqual([undefined, undefined]);
  });

  it("takes an empty list of modules", () => {
    expect(parseModules("\n")).toEqual([]);
  });
});
