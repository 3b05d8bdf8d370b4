import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { PHDR_SIZE, PT_NOTE } from "../elf/constants.js";
import { parseBuildId } from "../elf/notes.js";

/**
 * The GNU build id of the kernel inside a bzImage, hex, as `/sys/kernel/notes` shows it once that kernel runs; undefined if the image
 * is packed in a way that this machine has no program for.
 */
export async function readImageBuildId(vmlinuz: string): Promise<string | undefined> {
  const payload = findPayload(await readFile(vmlinuz));
  const unpacker = payload === undefined ? undefined : UNPACKERS.find(({ magic }) => magic.every((byte, index) => payload[index] === byte));
  if (payload === undefined || unpacker === undefined) return undefined;
  // The payload ends with four bytes of size that no unpacker knows: they complain, after having given all.
  const result = await execa(unpacker.program, unpacker.args, {
    input: payload,
    encoding: "buffer",
    reject: false,
    maxBuffer: 512 * 1024 * 1024,
  });
  return findBuildId(result.stdout);
}

/** By the first bytes of the packed kernel. */
const UNPACKERS = [
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], program: "xz", args: ["-dc", "--single-stream"] },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], program: "zstd", args: ["-dc"] },
  { magic: [0x1f, 0x8b], program: "gzip", args: ["-dc"] },
] as const;

const SECTOR = 512;

/** The packed kernel in a bzImage. Source: Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header" (Linux 6.12). */
function findPayload(image: Uint8Array): Uint8Array | undefined {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  if (image.length < 0x250 || view.getUint32(0x202, true) !== HDRS) return undefined;
  const setupSectors = view.getUint8(0x1f1) || 4;
  const start = (setupSectors + 1) * SECTOR + view.getUint32(0x248, true);
  return image.subarray(start, start + view.getUint32(0x24c, true));
}

/** "HdrS", little-endian. */
const HDRS = 0x53726448;

function findBuildId(vmlinux: Uint8Array): string | undefined {
  if (vmlinux.length < 64) return undefined;
  const view = new DataView(vmlinux.buffer, vmlinux.byteOffset, vmlinux.byteLength);
  const headers = Number(view.getBigUint64(32, true));
  for (let index = 0; index < view.getUint16(56, true); index++) {
    const at = headers + index * PHDR_SIZE;
    if (view.getUint32(at, true) !== PT_NOTE) continue;
    const offset = Number(view.getBigUint64(at + 8, true));
    const buildId = parseBuildId(vmlinux.subarray(offset, offset + Number(view.getBigUint64(at + 32, true))));
    if (buildId !== undefined) return buildId;
  }
  return undefined;
}
