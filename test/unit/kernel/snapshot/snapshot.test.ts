import { tellNobody } from "../../../../src/events.js";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { X86_64 } from "../../../../src/arch/machine/x86-64.js";
import { Refusal } from "../../../../src/diagnostics.js";
import { EHDR_SIZE, PHDR_SIZE, PT_LOAD, PT_NOTE } from "../../../../src/elf/constants.js";
import { parseCoreHeader, parseProgramHeaders, type ProgramHeader } from "../../../../src/elf/core-headers.js";
import { parseBuildId, parseNotes } from "../../../../src/elf/notes.js";
import { CoreWriter } from "../../../../src/kernel/snapshot/core-writer.js";
import { openLiveKernel, type LiveKernel } from "../../../../src/kernel/live/live-kernel.js";
import { openSnapshot } from "../../../../src/kernel/snapshot/open-snapshot.js";
import { saveSnapshot, type SnapshotSummary } from "../../../../src/kernel/snapshot/save-snapshot.js";
import { NT_KSPLICE_FACTS, NT_KSPLICE_KALLSYMS } from "../../../../src/kernel/snapshot/snapshot-format.js";
import { FakeTree, makeCore, MODULES, TEXT, TEXT_SIZE } from "../../../support/fake-proc.js";

let tree: FakeTree;
let dir: string;
let file: string;

beforeEach(() => {
  tree = new FakeTree();
  dir = mkdtempSync(join(tmpdir(), "ksplice-snapshot-"));
  file = join(dir, "kernel");
});
afterEach(() => {
  tree.remove();
  rmSync(dir, { recursive: true });
});

function save(): SnapshotSummary {
  return saveSnapshot(file, { root: tree.root, tell: tellNobody });
}

/** The whole of what a kernel says, as far as a test can ask. */
function describeKernel(kernel: LiveKernel): unknown {
  const { release, machine, buildId, modules, coreVersion, updates } = kernel;
  const addrs = [0n, TEXT - 1n, TEXT, TEXT + 0x3ffen, TEXT + 0x8fffn, TEXT + 0x9000n, MODULES, MODULES + 2n, MODULES + 3n];
  return {
    facts: { release, machine, buildId, modules, coreVersion, updates },
    sections: ["i2c_dev", "9p", "absent"].map((module) => kernel.moduleSections(module)),
    named: ["_text", "old_function", "absent"].map((name) => kernel.symbolsNamed(name)),
    at: addrs.map((addr) => kernel.symbolAt(addr)),
    memory: addrs.flatMap((addr) => [1, 4, 0x6000].map((size) => kernel.read(addr, size))),
    newest: [TEXT, 0xffffffff81000010n, 0xffffffffc0001000n, 0xffffffff81000100n].map((addr) => kernel.newestCode(addr)),
    holds: ["vmlinux", "i2c_dev"].flatMap((target) =>
      [undefined, "i2c_dev", "ksplice_a"].map((module) => kernel.holdsCodeOf(target, module)),
    ),
  };
}

describe("a snapshot", () => {
  it.each<[string, () => void]>([
    ["a kernel", () => undefined],
    [
      "a kernel with updates",
      () => {
        tree.applyUpdates();
        tree.write(
          "proc/kallsyms",
          "ffffffff81000000 T _text\nffffffff81000010 T old_function\nffffffffc0001000 t old_function\t[ksplice_a]\n",
        );
      },
    ],
    [
      "a kernel without build id",
      () => {
        tree.write("sys/kernel/notes", "");
      },
    ],
    [
      "a kernel without modules",
      () => {
        tree.write("proc/modules", "");
        rmSync(join(tree.root, "sys/module"), { recursive: true });
      },
    ],
  ])("opened says the same as %s itself", (_, change) => {
    tree.write("proc/kallsyms", "ffffffff81000000 T _text\nffffffff81000010 T old_function\nffffffffc0000001 t program\t[bpf]\n");
    change();
    save();
    const live = openLiveKernel({ root: tree.root });
    const saved = openSnapshot(file);
    expect(describeKernel(saved)).toEqual(describeKernel(live));
    live.close();
    saved.close();
  });

  it("is counted", () => {
    tree.applyUpdates();
    const summary = save();
    expect(summary).toEqual({
      kernel: { release: "6.1.0-47-amd64", machine: "x86_64", buildId: "ab00ff01" },
      modules: 2,
      symbols: 2,
      updates: ["aaa", "bbb"],
      segments: 1,
      memoryBytes: TEXT_SIZE,
      unreadableBytes: 0,
      fileBytes: statSync(file).size,
    });
  });

  it("is one file, readable by its owner only, whatever lay there before", () => {
    writeFileSync(file, "old");
    chmodSync(file, 0o644);
    const other = join(dir, "other");
    writeFileSync(other, "other");
    symlinkSync(other, `${file}.part`);
    save();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(`${file}.part`)).toBe(false);
    expect(readFileSync(other, "utf8")).toBe("other");
  });

  it.each<[string, () => void]>([
    [
      "the kernel cannot be read",
      () => {
        rmSync(join(tree.root, "proc/kcore"));
      },
    ],
    [
      "its name is taken by a directory",
      () => {
        mkdirSync(join(file, "x"), { recursive: true });
      },
    ],
  ])("leaves nothing behind if %s", (_, spoil) => {
    spoil();
    expect(save).toThrow();
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  it("is a core file that other tools read: build id, notes, memory", () => {
    save();
    const bytes = readFileSync(file);
    const { notes, segments } = readCore(bytes);
    expect(parseBuildId(notes)).toBe("ab00ff01");
    expect([...parseNotes(notes)].map(({ owner, type }) => [owner, type])).toEqual([
      ["GNU", 3],
      ["ksplice", NT_KSPLICE_FACTS],
      ["ksplice", NT_KSPLICE_KALLSYMS],
    ]);
    for (const { addr, fileOffset, align } of segments) expect((addr - fileOffset) % align).toBe(0n);
  });
});

function readCore(bytes: Uint8Array): { headers: ProgramHeader[]; notes: Uint8Array; segments: ProgramHeader[] } {
  const { tableOffset, count } = parseCoreHeader(bytes.subarray(0, EHDR_SIZE), "core");
  const headers = parseProgramHeaders(bytes.subarray(Number(tableOffset)), count, "core");
  const note = headers.find(({ type }) => type === PT_NOTE);
  const start = Number(note?.fileOffset ?? 0n);
  const notes = bytes.subarray(start, start + Number(note?.fileSize ?? 0n));
  return { headers, notes, segments: headers.filter(({ type }) => type === PT_LOAD) };
}

describe("memory that cannot be read", () => {
  it("is left out, the rest is saved", () => {
    // A segment that the file does not hold to its end.
    const core = makeCore([{ addr: TEXT, bytes: new Uint8Array(0x3800).fill(7) }]);
    tree.write("proc/kcore", core.subarray(0, core.length - 0x1900));
    expect(save()).toMatchObject({ segments: 1, memoryBytes: 0x1000, unreadableBytes: 0x2800 });
    const kernel = openSnapshot(file);
    expect([kernel.read(TEXT + 0xfffn, 1), kernel.read(TEXT + 0xfffn, 2)]).toEqual([Uint8Array.of(7), undefined]);
    kernel.close();
  });
});

function reasonOf(path: string): string {
  try {
    openSnapshot(path).close();
  } catch (error) {
    if (error instanceof Refusal && error.code === "bad-snapshot") return error.message.replace(`${path} is not a usable snapshot: `, "");
    throw error;
  }
  return "none";
}

/** A snapshot with these notes, and no memory. */
function writeNotes(facts: unknown, kallsyms = "ffffffff81000000 T _text\n"): void {
  rmSync(file, { force: true });
  const encode = (text: string): Uint8Array => Buffer.from(text, "latin1");
  const writer = new CoreWriter(file);
  writer.addNotes([
    { owner: "ksplice", type: NT_KSPLICE_FACTS, content: encode(typeof facts === "string" ? facts : JSON.stringify(facts)) },
    { owner: "ksplice", type: NT_KSPLICE_KALLSYMS, content: encode(kallsyms) },
  ]);
  writer.finish(X86_64.value);
}

const FACTS = { format: 1, release: "6.1", machine: "x86_64", modules: [], sections: [], updates: [] };

describe("a file that is no snapshot is refused by name", () => {
  it("not there, not a file, not a core file, not ours", () => {
    expect(reasonOf(join(dir, "absent"))).toBe("no such file");
    expect(reasonOf(dir)).toBe("it is not a plain file");
    writeFileSync(file, "");
    expect(reasonOf(file)).toMatch(/truncated/);
    writeFileSync(file, "x".repeat(100));
    expect(reasonOf(file)).toBe("not a 64-bit ELF core file");
    writeFileSync(file, makeCore([{ addr: TEXT, bytes: Uint8Array.of(1) }]));
    expect(reasonOf(file)).toBe("it does not have one segment of notes");
    writeNotes(FACTS);
    expect(reasonOf(file)).toBe("none");
  });

  it("cut off anywhere", () => {
    save();
    const { size } = statSync(file);
    for (const left of [size - 1, size - 56, size - 200, 0x2000, 0x1000, 64, 63, 10]) {
      truncateSync(file, left);
      expect(reasonOf(file), String(left)).toMatch(/truncated|cut off/);
    }
  });

  const update = { id: "a", stage: "applied", functions: [] as unknown[], writtenTargets: [] };
  const redirected = { name: "f", oldAddr: "0x1", oldSize: 1, newAddr: "0x2", newSize: 1, siteOffset: 0, target: "vmlinux" };
  it.each<[string, unknown, string | undefined, RegExp]>([
    ["facts that are no JSON", "{", undefined, /facts are no JSON/],
    ["facts that are no text", "\xff", undefined, /facts are no JSON/],
    ["another format", { ...FACTS, format: 2, more: 1 }, undefined, /format version is 2; this program reads version 1/],
    ["no format", { release: "6.1" }, undefined, /format/],
    ["something unknown", { ...FACTS, more: 1 }, undefined, /more/],
    ["an address that is none", { ...FACTS, modules: [{ name: "m", addr: "12", size: 1, refcount: 0, state: "Live" }] }, undefined, /addr/],
    ["escape sequences in a name", { ...FACTS, release: "6.1\x1b[2J" }, undefined, /release/],
    ["escape sequences in a symbol", FACTS, "ffffffff81000000 T _te\x1b[2Jxt\n", /control characters/],
    ["no symbols", FACTS, "", /symbols have no addresses/],
    ["hidden symbols", FACTS, "0000000000000000 T _text\n", /symbols have no addresses/],
    [
      "updates that redirect in a circle",
      { ...FACTS, updates: [{ ...update, functions: [redirected, { ...redirected, oldAddr: "0x2", newAddr: "0x1" }] }] },
      undefined,
      /in a circle/,
    ],
  ])("with %s", (_, facts, kallsyms, words) => {
    writeNotes(facts, kallsyms);
    expect(reasonOf(file)).toMatch(words);
  });

  it("with headers that make no sense", () => {
    save();
    const bytes = readFileSync(file);
    const table = Number(parseCoreHeader(bytes, "").tableOffset);
    const spoil = (at: number, value: bigint): string => {
      const changed = Uint8Array.from(bytes);
      new DataView(changed.buffer).setBigUint64(at, value, true);
      writeFileSync(file, changed);
      return reasonOf(file);
    };
    const load = table + PHDR_SIZE;
    expect(spoil(load + 8, 2n ** 63n)).toMatch(/cut off/);
    expect(spoil(load + 32, 2n ** 64n - 1n)).toMatch(/cut off/);
    expect(spoil(load + 40, 2n ** 40n)).toMatch(/makes no sense/);
    expect(spoil(load + 16, 2n ** 64n - 2n)).toMatch(/makes no sense/);
    expect(spoil(32, 2n ** 64n - 8n)).toMatch(/truncated/);
    expect(spoil(54, 0n)).toMatch(/program headers of 0 bytes/);
  });

  it("memory that is there twice", () => {
    const writer = new CoreWriter(file);
    writer.addMemory(TEXT, new Uint8Array(32));
    writer.addMemory(TEXT + 16n, new Uint8Array(32));
    writer.addNotes([]);
    writer.finish(X86_64.value);
    expect(reasonOf(file)).toBe("it has memory at 0xffffffff81000010 twice");
  });

  it("or opens, whatever bytes are changed: never another error", () => {
    save();
    const bytes = readFileSync(file);
    const { headers } = readCore(bytes);
    const notesAt = Number(headers[0]?.fileOffset ?? 0n);
    // Headers and notes: memory may be anything.
    const places = [...Array(EHDR_SIZE).keys(), ...Array.from({ length: bytes.length - notesAt }, (_, index) => notesAt + index)];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...places), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 }),
        (changes) => {
          const changed = Uint8Array.from(bytes);
          for (const [at, value] of changes) changed[at] = value;
          writeFileSync(file, changed);
          expect(typeof reasonOf(file)).toBe("string");
        },
      ),
      { numRuns: 300 },
    );
  });
});
