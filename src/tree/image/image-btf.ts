import { ElfFormatError } from "../../elf/elf-format-error.js";
import { findSection } from "../../elf/find-section.js";

/** How a .BTF section begins: magic number, version 1, no flags, a header of 24 bytes, types right behind it. Source: Documentation/bpf/btf.rst, Linux 6.1. */
const BEGINNING = Buffer.from([0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0]);

/**
 * The types of a vmlinux, as /sys/kernel/btf/vmlinux shows them once that kernel runs; undefined if it has none. Found by its section, or by its
 * shape where the image was stripped of its section headers: programs inside the kernel can bring BTF of their own, so the largest counts.
 */
export function findImageBtf(vmlinux: Uint8Array): Uint8Array | undefined {
  try {
    const section = findSection(vmlinux, ".BTF", "vmlinux");
    if (section !== undefined) return section;
  } catch (error) {
    if (!(error instanceof ElfFormatError)) throw error;
  }
  const bytes = Buffer.from(vmlinux.buffer, vmlinux.byteOffset, vmlinux.byteLength);
  let largest: Uint8Array | undefined;
  for (let at = bytes.indexOf(BEGINNING); at >= 0; at = bytes.indexOf(BEGINNING, at + 1)) {
    if (at + 24 > bytes.length) break;
    const [types, stringsStart, strings] = [bytes.readUInt32LE(at + 12), bytes.readUInt32LE(at + 16), bytes.readUInt32LE(at + 20)];
    const end = at + 24 + stringsStart + strings;
    if (stringsStart < types || end > bytes.length || bytes[end - 1] !== 0) continue;
    if (largest === undefined || end - at > largest.length) largest = vmlinux.subarray(at, end);
  }
  return largest;
}
