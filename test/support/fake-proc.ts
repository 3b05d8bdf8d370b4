import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { X86_64 } from "../../src/arch/machine/x86-64.js";
import { EHDR_SIZE, PHDR_SIZE, PT_LOAD } from "../../src/elf/constants.js";
import { writeCoreHeader, writeProgramHeaders, type ProgramHeader } from "../../src/elf/core-headers.js";
import { noteHeader } from "../../src/elf/notes.js";

export const TEXT = 0xffffffff81000000n;
export const TEXT_SIZE = 0x9000;
export const MODULES = 0xffffffffc0000000n;

/** An ELF core file with one segment for each piece of memory. */
export function makeCore(pieces: readonly { addr: bigint; bytes: Uint8Array }[]): Uint8Array {
  let offset = EHDR_SIZE + PHDR_SIZE * pieces.length;
  const headers = pieces.map(({ addr, bytes }): ProgramHeader => {
    const size = BigInt(bytes.length);
    const header = { type: PT_LOAD, flags: 7, fileOffset: BigInt(offset), addr, fileSize: size, memorySize: size, align: 1n };
    offset += bytes.length;
    return header;
  });
  const header = writeCoreHeader({ machine: X86_64.value, tableOffset: BigInt(EHDR_SIZE), count: pieces.length });
  return Buffer.concat([header, writeProgramHeaders(headers), ...pieces.map(({ bytes }) => bytes)]);
}

/** As /sys/kernel/notes has them. */
export function makeNotes(): Uint8Array {
  return Buffer.concat([noteHeader("Xen", 6, 4), Uint8Array.of(1, 2, 3, 4), noteHeader("GNU", 3, 4), Uint8Array.of(0xab, 0, 0xff, 1)]);
}

/** A directory with the files of /proc and /sys that a kernel is read from. */
export class FakeTree {
  readonly root = mkdtempSync(join(tmpdir(), "ksplice-kernel-"));

  constructor() {
    this.write("proc/kallsyms", "ffffffff81000000 T _text\nffffffff81000010 T old_function\n");
    const text = Uint8Array.from({ length: TEXT_SIZE }, (_, index) => index & 0xff);
    this.write(
      "proc/kcore",
      makeCore([
        { addr: MODULES, bytes: Uint8Array.of(1, 2, 3) },
        { addr: TEXT, bytes: text },
      ]),
    );
    this.write("proc/modules", "i2c_dev 28672 2 - Live 0xffffffffc0595000\n9p 81920 1 a,b, Loading 0xffffffffc057f000 (OE)\n");
    this.write("proc/sys/kernel/osrelease", "6.1.0-47-amd64\n");
    this.write("proc/sys/kernel/arch", "x86_64\n");
    this.write("sys/kernel/notes", makeNotes());
    this.write("sys/module/i2c_dev/sections/.text", "0xffffffffc0595000\n");
    this.write("sys/module/i2c_dev/initstate", "live\n");
  }

  write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), content);
  }

  /** Two updates on old_function, one on the other, and one that is not applied. */
  applyUpdates(): void {
    const line = (from: string, to: string): string => `old_function ${from} 32 ${to} 40 5 vmlinux\n`;
    this.write("sys/kernel/ksplice/version", "1\n");
    this.write("sys/kernel/ksplice/aaa/stage", "applied\n");
    this.write("sys/kernel/ksplice/aaa/functions", line("ffffffff81000010", "ffffffffc0001000"));
    this.write("sys/kernel/ksplice/bbb/stage", "applied\n");
    this.write("sys/kernel/ksplice/bbb/functions", line("ffffffffc0001000", "ffffffffc0002000"));
    this.write("sys/kernel/ksplice/ccc/stage", "reversed\n");
    this.write("sys/kernel/ksplice/ccc/functions", line("ffffffffc0002000", "ffffffffc0003000"));
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}
