import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { makeTemporary, removeTemporary } from "../src/host/temporary.js";
import { AgentChannel, fitsSocket, type CommandOptions, type CommandResult } from "./agent.js";
import { findProblems, lastWords, readConsole } from "./console-log.js";
import { emulatorThreads } from "./emulator-threads.js";
import { requireProgram } from "./programs.js";
import { qemuArguments, type QemuSetup } from "./qemu-command.js";
import { commandTimedOut, machineStopped } from "./refusals.js";

export interface RunOptions extends CommandOptions {
  /** Default: the machine's, which is 60 s by default. */
  readonly timeoutMs?: number;
}

/** A command that goes on in the guest while others run. */
export interface StartedCommand {
  /** Rejects with a Refusal if the machine stops first. Never settles after `kill`. */
  readonly finished: Promise<CommandResult>;
  outputSoFar(): string;
  kill(): void;
}

/** QEMU with a guest whose agent has answered. */
export interface RunningQemu {
  readonly consoleLog: string;
  readonly agent: AgentChannel;
  /** QEMU has ended, whichever way. */
  readonly exited: Promise<void>;
  /** Rejects with what the console said last. */
  readonly stopped: Promise<never>;
  readonly end: () => Promise<void>;
  /** Default 60 s. */
  readonly runTimeoutMs?: number | undefined;
}

const INITRAMFS = "initramfs.cpio";
const DEFAULT_RUN_TIMEOUT_MS = 60_000;
const POWER_OFF_TIMEOUT_MS = 15_000;

/** A running virtual machine: commands are run in it by an agent. */
export class RunningMachine {
  readonly consoleLog: string;
  protected readonly running: RunningQemu;
  #dmesg = "";

  /** @internal */
  constructor(running: RunningQemu) {
    this.consoleLog = running.consoleLog;
    this.running = running;
  }

  /**
   * Runs a command to its end: a string is text for /bin/sh, a list of words one program.
   * @throws Refusal `vm-command-timeout` or `vm-stopped`; a failing command is a result, not an error
   */
  async run(command: string | readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const timeoutMs = options.timeoutMs ?? this.running.runTimeoutMs ?? DEFAULT_RUN_TIMEOUT_MS;
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
    const { id, finished } = this.running.agent.start(command, options);
    const settled = Promise.race([finished, this.running.stopped]);
    settled.catch(() => undefined); // whoever awaits it sees the error; nobody has to
    return {
      finished: settled,
      outputSoFar: () => this.running.agent.outputSoFar(id),
      kill: () => {
        this.running.agent.kill(id);
      },
    };
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
    await this.running.end();
  }
}

/** What of QEMU's arguments is not the same for all machines. */
export interface StartSetup extends Omit<QemuSetup, "initramfs" | "agentSocket" | "channelDir" | "threads"> {
  /** A path, or what is to be in it. */
  readonly initramfs: string | Uint8Array;
  readonly bootTimeoutMs: number;
  /** How long the guest may take to go down by itself, once it is asked to. */
  readonly powerOffTimeoutMs?: number;
}

/**
 * Starts QEMU, without KVM, and waits until the guest's agent answers. Ends with the process that called it, whichever way that ends.
 * @throws Refusal where a program is missing, or the machine does not come up
 */
export async function startQemu({
  initramfs,
  bootTimeoutMs,
  powerOffTimeoutMs = POWER_OFF_TIMEOUT_MS,
  ...setup
}: StartSetup): Promise<RunningQemu> {
  const program = requireProgram("qemu-system-x86_64");
  const setpriv = requireProgram("setpriv");
  const { consoleLog } = setup;
  await writeFile(consoleLog, "");
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
    const ownInitramfs = join(directory, INITRAMFS);
    if (typeof initramfs !== "string") await writeFile(ownInitramfs, initramfs);
    const args = qemuArguments({
      ...setup,
      initramfs: typeof initramfs === "string" ? initramfs : ownInitramfs,
      threads: setup.countInstructions === true ? "single" : await emulatorThreads(program),
      agentSocket: agent.socketPath,
      channelDir: agent.directory,
    });
    // setpriv has the kernel kill it should we be killed.
    const qemu = execa(setpriv, ["--pdeathsig", "KILL", program, ...args], { reject: false, stdin: "ignore", forceKillAfterDelay: 2000 });
    const running = watch(qemu, consoleLog, agent, powerOffTimeoutMs, cleanUp);
    await comesUp(running, bootTimeoutMs, async () => {
      qemu.kill();
      await qemu;
    });
    // QEMU has read it; should we be killed, less is left behind.
    await rm(ownInitramfs, { force: true });
    return running;
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

interface Emulator extends PromiseLike<{ readonly stderr: string }> {
  kill(): boolean;
}

function watch(
  qemu: Emulator,
  consoleLog: string,
  agent: AgentChannel,
  powerOffTimeoutMs: number,
  cleanUp: () => Promise<void>,
): RunningQemu {
  const said = (async () => (await qemu).stderr)();
  const exited = said.then(() => undefined);
  const stopped = said.then((stderr) => {
    const what = ["the virtual machine stopped", stderr.trim()].filter(Boolean).join(": ");
    throw machineStopped(what, consoleLog, lastWords(readConsole(consoleLog)));
  });
  stopped.catch(() => undefined);
  let ending: Promise<void> | undefined;
  async function shutDown(): Promise<void> {
    agent.powerOff();
    const timer = setTimeout(() => qemu.kill(), powerOffTimeoutMs);
    await exited;
    clearTimeout(timer);
    await cleanUp();
  }
  return { consoleLog, agent, exited, stopped, end: () => (ending ??= shutDown()) };
}

async function comesUp({ agent, stopped, consoleLog }: RunningQemu, bootTimeoutMs: number, kill: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        machineStopped(`the virtual machine did not come up in ${bootTimeoutMs / 1000} s`, consoleLog, lastWords(readConsole(consoleLog))),
      );
    }, bootTimeoutMs);
  });
  try {
    await Promise.race([agent.ready, stopped, late]);
  } catch (error) {
    await kill();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
