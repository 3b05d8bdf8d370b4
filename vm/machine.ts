import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import type { CommandResult } from "./agent.js";
import { lastWords } from "./console-log.js";
import { GUEST_DIR, isHidden, quoteShell } from "./guest-scripts.js";
import { makeInitramfs } from "./initramfs.js";
import { moduleName } from "../src/host/module-file.js";
import { ModuleFiles } from "./module-files.js";
import { DEFAULT_CPU } from "./qemu-command.js";
import { cannotLoadModule, unreadableKernel } from "./refusals.js";
import { RunningMachine, startQemu, type RunningQemu } from "./running-machine.js";

export type { CommandOptions, CommandResult } from "./agent.js";
export type { RunOptions, StartedCommand } from "./running-machine.js";

export interface BootOptions {
  /** Path of the vmlinuz to boot. */
  readonly kernel: string;
  /** `lib/modules/RELEASE` of the unpacked image package; its modules may be packed. */
  readonly modulesDir: string;
  /** Directories of modules that the image does not have. */
  readonly furtherModules?: readonly string[];
  /** Where the console's output is written. */
  readonly consoleLog: string;
  readonly memoryMiB?: number;
  readonly cpus?: number;
  /** QEMU's name of the processor to emulate. */
  readonly cpuModel?: string;
  /** A directory of the host that the guest may write, at the same path. */
  readonly share?: string;
  /** Directories of the host to show (read-only) should they lie in one that is the guest's own: /tmp, /run, /var/tmp, /mnt. */
  readonly expose?: readonly string[];
  readonly appendCmdline?: string;
  /** The guest's clock is the number of instructions that its processors have executed, a nanosecond each. They take turns then. */
  readonly countInstructions?: boolean;
  readonly bootTimeoutMs?: number;
  /** What a command in it may take that is given no time of its own. Default 60 s. */
  readonly runTimeoutMs?: number;
}

const DEFAULT_BOOT_TIMEOUT_MS = 300_000;

/**
 * A running virtual machine. In it, root's commands see the host's files read-only at the same paths,
 * with the guest's own /proc, /sys, /dev, and empty /tmp, /run, /var/tmp and /mnt. There is no network but `lo`.
 */
export class Machine extends RunningMachine {
  readonly #modules: ModuleFiles;

  /** @internal use {@link bootMachine} */
  constructor(running: RunningQemu, modules: ModuleFiles) {
    super(running);
    this.#modules = modules;
  }

  /** Loads a module of the booted kernel's image by name, after those it depends on; one that is loaded or built in is left as it is. @throws Refusal */
  async loadModule(name: string, parameters: readonly string[] = []): Promise<void> {
    for (const module of await this.#modules.withDependencies([name])) {
      const own = module.name === moduleName(name) ? parameters : [];
      const { exitCode, stderr } = await this.insertModule(module.name, module.data, own);
      if (exitCode !== 0) throw cannotLoadModule(module.name, stderr.trim(), this.consoleLog, lastWords(this.consoleText()));
    }
  }

  /** Loads a module from its bytes, unless one of that name is there. Exit code and stderr are insmod's. */
  async insertModule(name: string, data: Uint8Array, parameters: readonly string[] = []): Promise<CommandResult> {
    const words = parameters.map(quoteShell).join(" ");
    return this.run(
      `[ -e /sys/module/${moduleName(name)}/initstate ] && exit 0
cat >/tmp/insert-$$.ko && ${GUEST_DIR}/busybox insmod /tmp/insert-$$.ko ${words}; status=$?
rm -f /tmp/insert-$$.ko; exit $status`,
      { input: data },
    );
  }
}

/**
 * Boots a kernel under QEMU with the host's files. Ends with the process that called it, whichever way that ends.
 * @throws Refusal where a program or the kernel is missing, or the machine does not come up
 */
export async function bootMachine(options: BootOptions): Promise<Machine> {
  await access(options.kernel, constants.R_OK).catch((error: unknown) => {
    throw unreadableKernel(options.kernel, error instanceof Error ? error.message : String(error));
  });
  const modules = await ModuleFiles.read(options.modulesDir, options.furtherModules);
  const share = options.share === undefined ? undefined : resolve(options.share);
  const expose = (options.expose ?? []).map((path) => resolve(path)).filter(isHidden);
  const running = await startQemu({
    kernel: resolve(options.kernel),
    initramfs: await makeInitramfs(modules, { share, expose }),
    memoryMiB: options.memoryMiB ?? 1024,
    cpus: options.cpus ?? 2,
    cpuModel: options.cpuModel ?? DEFAULT_CPU,
    consoleLog: resolve(options.consoleLog),
    hostFiles: true,
    disk: undefined,
    share,
    appendCmdline: options.appendCmdline ?? "",
    countInstructions: options.countInstructions ?? false,
    bootTimeoutMs: options.bootTimeoutMs ?? DEFAULT_BOOT_TIMEOUT_MS,
  });
  return new Machine({ ...running, runTimeoutMs: options.runTimeoutMs }, modules);
}
