import { constants } from "node:fs";
import { access, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { AgentChannel, fitsSocket, type CommandOptions, type CommandResult } from "./agent.js";
import { findProblems, lastWords, readConsole } from "./console-log.js";
import { GUEST_DIR, isHidden, quoteShell } from "./guest-scripts.js";
import { makeInitramfs } from "./initramfs.js";
import { moduleName } from "../src/host/module-file.js";
import { ModuleFiles } from "./module-files.js";
import { requireProgram } from "./programs.js";
import { emulatorThreads } from "./emulator-threads.js";
import { qemuArguments } from "./qemu-command.js";
import { cannotLoadModule, commandTimedOut, machineStopped, unreadableKernel } from "./refusals.js";
import { makeTemporary, removeTemporary } from "../src/host/temporary.js";

export type { CommandOptions, CommandResult } from "./agent.js";

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
  readonly bootTimeoutMs?: number;
}

export interface RunOptions extends CommandOptions {
  /** Default 60 s. */
  readonly timeoutMs?: number;
}

/** A command that goes on in the guest while others run. */
export interface StartedCommand {
  /** Rejects with a Refusal if the machine stops first. Never settles after `kill`. */
  readonly finished: Promise<CommandResult>;
  outputSoFar(): string;
  kill(): void;
}

const INITRAMFS = "initramfs.cpio";
/** All that the emulator can, but for AVX, which QEMU emulates since 7.2 only: Node's generated code would use it. */
const DEFAULT_CPU = "max,-avx,-avx2,-fma,-f16c";
const DEFAULT_RUN_TIMEOUT_MS = 60_000;
const DEFAULT_BOOT_TIMEOUT_MS = 120_000;
const POWER_OFF_TIMEOUT_MS = 15_000;

/**
 * A running virtual machine. In it, root's commands see the host's files read-only at the same paths,
 * with the guest's own /proc, /sys, /dev, and empty /tmp, /run, /var/tmp and /mnt. There is no network but `lo`.
 */
export class Machine {
  readonly consoleLog: string;
  readonly #agent: AgentChannel;
  readonly #modules: ModuleFiles;
  readonly #stopped: Promise<never>;
  readonly #end: () => Promise<void>;
  #dmesg = "";

  /** @internal use {@link bootMachine} */
  constructor(consoleLog: string, agent: AgentChannel, modules: ModuleFiles, stopped: Promise<never>, end: () => Promise<void>) {
    this.consoleLog = consoleLog;
    this.#agent = agent;
    this.#modules = modules;
    this.#stopped = stopped;
    this.#end = end;
  }

  /**
   * Runs a command to its end: a string is text for /bin/sh, a list of words one program.
   * @throws Refusal `vm-command-timeout` or `vm-stopped`; a failing command is a result, not an error
   */
  async run(command: string | readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_RUN_TIMEOUT_MS;
    const started = this.start(command, options);
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        started.kill();
        const text = typeof command === "string" ? command : command.join(" ");
        reject(commandTimedOut(text, timeoutMs, this.consoleLog, lastWords(this.consoleText())));
      }, timeoutMs);
    });
    try {
      return await Promise.race([started.finished, timedOut]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Starts a command and lets it go on. */
  start(command: string | readonly string[], options: CommandOptions = {}): StartedCommand {
    const { id, finished } = this.#agent.start(command, options);
    const settled = Promise.race([finished, this.#stopped]);
    settled.catch(() => undefined); // whoever awaits it sees the error; nobody has to
    return {
      finished: settled,
      outputSoFar: () => this.#agent.outputSoFar(id),
      kill: () => {
        this.#agent.kill(id);
      },
    };
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

  consoleText(): string {
    return readConsole(this.consoleLog);
  }

  /** Lines of the console and of the kernel's log that tell of a bug, a warning or a crash. Empty is as it should be. */
  async problems(): Promise<string[]> {
    const dmesg = await this.run(["dmesg"]).catch(() => undefined);
    this.#dmesg = dmesg?.stdout ?? this.#dmesg;
    return [...new Set([...findProblems(this.consoleText()), ...findProblems(this.#dmesg)])];
  }

  /** Switches the machine off and clears up after it. The console log stays. May be called again. */
  async powerOff(): Promise<void> {
    await this.#end();
  }
}

/**
 * Boots a kernel under QEMU, without KVM. Ends with the process that called it, whichever way that ends.
 * @throws Refusal where a program or the kernel is missing, or the machine does not come up
 */
export async function bootMachine(options: BootOptions): Promise<Machine> {
  const qemu = requireProgram("qemu-system-x86_64");
  const setpriv = requireProgram("setpriv");
  await access(options.kernel, constants.R_OK).catch((error: unknown) => {
    throw unreadableKernel(options.kernel, error instanceof Error ? error.message : String(error));
  });
  const modules = await ModuleFiles.read(options.modulesDir, options.furtherModules);
  const share = options.share === undefined ? undefined : resolve(options.share);
  const expose = (options.expose ?? []).map((path) => resolve(path)).filter(isHidden);
  const initramfs = await makeInitramfs(modules, { share, expose });
  await writeFile(options.consoleLog, "");

  const directory = await makeTemporary("ksplice-vm-");
  const socketDirectory = fitsSocket(directory) ? directory : await makeTemporary("ksplice-vm-", "/tmp");
  const agent = new AgentChannel(directory, socketDirectory);
  const cleanUp = async () => {
    agent.close();
    await removeTemporary(directory);
    await removeTemporary(socketDirectory);
  };
  try {
    await agent.listen();
    const initramfsPath = join(directory, INITRAMFS);
    await writeFile(initramfsPath, initramfs);
    const setup = {
      kernel: resolve(options.kernel),
      initramfs: initramfsPath,
      memoryMiB: options.memoryMiB ?? 1024,
      cpus: options.cpus ?? 2,
      threads: await emulatorThreads(qemu),
      cpuModel: options.cpuModel ?? DEFAULT_CPU,
      consoleLog: resolve(options.consoleLog),
      agentSocket: agent.socketPath,
      channelDir: agent.directory,
      share,
      appendCmdline: options.appendCmdline ?? "",
    };
    return await startMachine([setpriv, "--pdeathsig", "KILL", qemu, ...qemuArguments(setup)], options, agent, modules, directory, cleanUp);
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** @param commandLine QEMU's, under setpriv, which has the kernel kill it should we be killed */
async function startMachine(
  commandLine: readonly [string, ...string[]],
  options: BootOptions,
  agent: AgentChannel,
  modules: ModuleFiles,
  directory: string,
  cleanUp: () => Promise<void>,
): Promise<Machine> {
  const [program, ...args] = commandLine;
  const qemu = execa(program, args, { reject: false, stdin: "ignore", forceKillAfterDelay: 2000 });
  const consoleText = () => readConsole(options.consoleLog);
  const exited = qemu.then(({ stderr }) => stderr);
  const stopped = exited.then((stderr) => {
    const what = ["the virtual machine stopped", stderr.trim()].filter(Boolean).join(": ");
    throw machineStopped(what, options.consoleLog, lastWords(consoleText()));
  });
  stopped.catch(() => undefined);

  let ending: Promise<void> | undefined;
  const end = () => (ending ??= shutDown());
  async function shutDown(): Promise<void> {
    agent.powerOff();
    const timer = setTimeout(() => qemu.kill(), POWER_OFF_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
    await cleanUp();
  }

  const bootTimeoutMs = options.bootTimeoutMs ?? DEFAULT_BOOT_TIMEOUT_MS;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        machineStopped(`the virtual machine did not come up in ${bootTimeoutMs / 1000} s`, options.consoleLog, lastWords(consoleText())),
      );
    }, bootTimeoutMs);
  });
  try {
    await Promise.race([agent.ready, stopped, late]);
  } catch (error) {
    qemu.kill();
    await exited;
    throw error;
  } finally {
    clearTimeout(timer);
  }
  // QEMU has read it; should we be killed, less is left behind.
  await rm(join(directory, INITRAMFS));
  return new Machine(options.consoleLog, agent, modules, stopped, end);
}
