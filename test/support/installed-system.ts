import { mkdtempSync, rmSync } from "node:fs";
import { copyFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import { makeDiskImage } from "../../vm/installed/disk-image.js";
import { bootInstalled, type InstalledMachine } from "../../vm/installed/installed-machine.js";
import type { CommandResult } from "../../vm/machine.js";
import { BareRoot } from "./bare-root.js";

/** What a machine has that a root file system needs not: who starts it, who finds its devices, and a kernel with its initrd. */
const OF_A_MACHINE = ["systemd-sysv", "udev", "dbus", "initramfs-tools"];

/** An emulated machine on a busy host takes minutes for what another does in seconds. */
const PATIENCE_MS = 900_000;

/** A machine with a bare Debian on its disk, from boot to boot. */
export class InstalledSystem {
  #machine: InstalledMachine | undefined;

  private constructor(
    readonly dir: string,
    readonly release: string,
  ) {}

  /**
   * @param release of the kernel, which the suite's archive must have
   * @param prepare the root file system, before it becomes a disk
   */
  static async make(
    suite: string,
    release: string,
    packages: readonly string[],
    files: readonly string[],
    prepare?: (root: BareRoot) => Promise<void>,
  ): Promise<InstalledSystem> {
    const system = new InstalledSystem(mkdtempSync(join(tmpdir(), "ksplice-installed-")), release);
    const root = await BareRoot.make(suite, [...OF_A_MACHINE, `linux-image-${release}`, ...packages]);
    try {
      for (const file of files) await root.copyIn(file, `/root/${basename(file)}`);
      await writeFile(root.inside("etc/hostname"), "bare\n");
      for (const name of ["vmlinuz", "initrd.img"]) await copyFile(root.inside(`boot/${name}-${release}`), join(system.dir, name));
      await prepare?.(root);
      await makeDiskImage(root.path, system.#path("disk"));
    } finally {
      await root.end();
    }
    return system;
  }

  /** Another machine with the same disk. */
  async copy(): Promise<InstalledSystem> {
    const other = new InstalledSystem(mkdtempSync(join(tmpdir(), "ksplice-installed-")), this.release);
    await execa("cp", ["--sparse=always", "-a", `${this.dir}/.`, other.dir]);
    return other;
  }

  /** @param sshPort of 127.0.0.1, that leads to its own */
  async boot(sshPort?: number, cpus = 1): Promise<void> {
    this.#machine = await bootInstalled({
      ...{ disk: this.#path("disk"), kernel: this.#path("vmlinuz"), initrd: this.#path("initrd.img") },
      ...{ consoleLog: this.#path("console.log"), cpus },
      ...(sshPort === undefined ? {} : { sshPort }),
    });
  }

  get machine(): InstalledMachine {
    if (this.#machine === undefined) throw new Error("the machine is not up");
    return this.#machine;
  }

  async run(command: string): Promise<CommandResult> {
    return await this.machine.run(command, { timeoutMs: PATIENCE_MS, cwd: "/root", env: { DEBIAN_FRONTEND: "noninteractive" } });
  }

  /** Output of a command that must do its work. */
  async sh(command: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(command);
    expect(exitCode, `${command}: ${stdout.slice(-3000)}${stderr}`).toBe(0);
    return stdout.trimEnd();
  }

  /** Waits until a shell test holds. @throws Error with what `explain` prints where it does not */
  async until(condition: string, explain: string, seconds = 300): Promise<void> {
    const { exitCode, stdout } = await this.run(
      `end=$(($(cut -d. -f1 /proc/uptime) + ${seconds})); until ${condition}; do [ $(cut -d. -f1 /proc/uptime) -lt $end ] || { ${explain}; exit 1; }; sleep 1; done`,
    );
    if (exitCode !== 0) throw new Error(`not within ${seconds} s: ${condition}\n${stdout}`);
  }

  /** As an operator does it. */
  async reboot(): Promise<void> {
    await this.sh("systemctl --no-block reboot");
    await this.machine.down();
    await this.boot();
  }

  /** A command that the machine does not survive. @returns what the console says of it */
  async crash(command: string): Promise<string> {
    const { machine } = this;
    machine.start(command);
    await machine.down();
    this.#machine = undefined;
    return machine.consoleText();
  }

  async end(): Promise<void> {
    await this.#machine?.powerOff();
    rmSync(this.dir, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.dir, name);
  }
}
