import { readFile } from "node:fs/promises";
import { writeCpio, type CpioEntry } from "./cpio.js";
import { APPLETS, initScript, runCommandScript, type GuestLayout } from "./guest-scripts.js";
import type { ModuleFiles } from "./module-files.js";
import { requireProgram } from "./programs.js";
import { busyboxNotStatic } from "./refusals.js";

/** What the guest needs before it can see the host's files: the 9p file system over virtio. */
export const BOOT_MODULES = ["virtio_pci", "9pnet_virtio", "9p"];

const DIRECTORIES = ["bin", "dev", "expose", "host", "modules", "proc", "sys"];

/**
 * The initramfs of a machine, an uncompressed archive of about 4 MB. Making it takes less time than a
 * cache of it would be worth.
 */
export async function makeInitramfs(modules: ModuleFiles, layout: Omit<GuestLayout, "modules">): Promise<Uint8Array> {
  const busybox = await readStaticBusybox();
  const loaded = await modules.withDependencies(BOOT_MODULES);
  const init = initScript({ ...layout, modules: loaded.map(({ name }) => name) });
  return writeCpio([
    ...DIRECTORIES.map((path): CpioEntry => ({ kind: "directory", path })),
    { kind: "character-device", path: "dev/console", major: 5, minor: 1 },
    { kind: "file", path: "bin/busybox", mode: 0o755, data: busybox },
    ...APPLETS.map((applet): CpioEntry => ({ kind: "link", path: `bin/${applet}`, target: "busybox" })),
    { kind: "file", path: "bin/run-command", mode: 0o755, data: Buffer.from(runCommandScript()) },
    { kind: "file", path: "init", mode: 0o755, data: Buffer.from(init) },
    ...loaded.map(({ name, data }): CpioEntry => ({ kind: "file", path: `modules/${name}.ko`, mode: 0o644, data })),
  ]);
}

async function readStaticBusybox(): Promise<Uint8Array> {
  const path = requireProgram("busybox");
  const busybox = await readFile(path);
  if (hasInterpreter(busybox)) throw busyboxNotStatic(path);
  return busybox;
}

/** Whether a 64-bit little-endian executable has a PT_INTERP segment, that is, needs a dynamic linker. */
export function hasInterpreter(executable: Uint8Array): boolean {
  const PT_INTERP = 3;
  const view = new DataView(executable.buffer, executable.byteOffset, executable.byteLength);
  const tableOffset = Number(view.getBigUint64(32, true));
  const entrySize = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  return Array.from({ length: count }, (_, index) => view.getUint32(tableOffset + index * entrySize, true)).includes(PT_INTERP);
}
