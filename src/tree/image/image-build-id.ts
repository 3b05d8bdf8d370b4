import { PHDR_SIZE, PT_NOTE } from "../../elf/constants.js";
import { parseBuildId } from "../../elf/notes.js";

/** The GNU build id of a vmlinux, hex, as `/sys/kernel/notes` shows it once that kernel runs; undefined if it has none. */
export function findBuildId(vmlinux: Uint8Array): string | undefined {
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
