import { readFile } from "node:fs/promises";
import { execa } from "execa";

/** The vmlinux inside a bzImage; undefined if it is no such image, or packed in a way that this machine has no program for. */
export async function unpackImage(vmlinuz: string): Promise<Uint8Array | undefined> {
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
  return result.stdout instanceof Uint8Array && result.stdout.length > 0 ? result.stdout : undefined;
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
