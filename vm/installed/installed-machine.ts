import { resolve } from "node:path";
import { DEFAULT_CPU } from "../qemu-command.js";
import { RunningMachine, startQemu } from "../running-machine.js";
import { ROOT_DEVICE } from "./disk-image.js";

export interface InstalledOptions {
  /** Made by `makeDiskImage`; it is written to, and keeps what is written. */
  readonly disk: string;
  /** Path of the vmlinuz to boot, and of its initrd. */
  readonly kernel: string;
  readonly initrd: string;
  readonly consoleLog: string;
  /** A port of 127.0.0.1 that leads to its port 22. Its first interface has the address 10.0.2.15/24 if it asks for one. */
  readonly sshPort?: number;
  readonly appendCmdline?: string;
  readonly memoryMiB?: number;
  readonly cpus?: number;
}

/** Emulated, with nothing left out: initrd, udev, and all that systemd starts. */
const BOOT_TIMEOUT_MS = 900_000;
const POWER_OFF_TIMEOUT_MS = 180_000;

/**
 * A running machine with a system of its own on a disk. It ends where a real one would begin to boot again, and where it is switched off: {@link down} says when. What
 * it has not written to its disk is lost, as with a real one.
 */
export class InstalledMachine extends RunningMachine {
  /** Waits until the machine is down; it was told so, or it crashed. */
  async down(): Promise<void> {
    await this.running.exited;
    await this.running.end();
  }
}

/** Boots a system from its disk. Comes back once the agent of its multi-user target answers. */
export async function bootInstalled(options: InstalledOptions): Promise<InstalledMachine> {
  const running = await startQemu({
    kernel: resolve(options.kernel),
    initramfs: resolve(options.initrd),
    memoryMiB: options.memoryMiB ?? 1024,
    cpus: options.cpus ?? 2,
    cpuModel: DEFAULT_CPU,
    consoleLog: resolve(options.consoleLog),
    hostFiles: false,
    disk: resolve(options.disk),
    sshPort: options.sshPort,
    share: undefined,
    appendCmdline: `root=${ROOT_DEVICE} ro ${options.appendCmdline ?? ""}`.trim(),
    bootTimeoutMs: BOOT_TIMEOUT_MS,
    powerOffTimeoutMs: POWER_OFF_TIMEOUT_MS,
  });
  return new InstalledMachine(running);
}
