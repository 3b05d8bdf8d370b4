import { defaultCacheDir } from "../../../src/host/cache-dir.js";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { packageRoot } from "../../../src/host/package-root.js";
import { runCommand } from "../../../src/rehearse/run-command.js";
import { findRehearsalKernel } from "../../../src/rehearse/rehearsal-kernel.js";
import { findLeftovers } from "../../../src/rehearse/rehearse-update.js";
import { bootMachine, type BootOptions, type CommandResult, type Machine } from "../../../vm/machine.js";

/** A virtual machine under test, with our commands in it. */
export class Guest {
  constructor(
    readonly machine: Machine,
    /** Of the host, shown in the guest under the same path, read-only. Updates go here. */
    readonly dir: string,
  ) {}

  /** Runs `ksplice-NAME ARGS` in the guest. */
  async ksplice(name: string, ...args: string[]): Promise<CommandResult> {
    return await runCommand(this.machine, name, args);
  }

  /** Runs one of our commands that must do its work. */
  async mustRun(name: string, ...args: string[]): Promise<CommandResult> {
    const result = await this.ksplice(name, ...args);
    expect(result, `ksplice-${name} ${args.join(" ")}: ${result.stderr}`).toMatchObject({ exitCode: 0 });
    return result;
  }

  /** Runs a shell command that must do its work, and gives its output without the last newline. */
  async sh(command: string): Promise<string> {
    const result = await this.machine.run(command);
    expect(result.exitCode, `${command}: ${result.stderr}`).toBe(0);
    return result.stdout.trimEnd();
  }

  /** Nothing of ours is in the kernel, and the kernel has nothing to complain about. */
  async expectClean(): Promise<void> {
    expect(await findLeftovers(this.machine)).toEqual([]);
    await this.expectQuiet();
  }

  /** No oops, no warning, no call trace. */
  async expectQuiet(): Promise<void> {
    expect(await this.machine.problems()).toEqual([]);
  }

  async end(): Promise<void> {
    await this.machine.powerOff();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Boots the kernel of a prepared tree. The console log is kept in the guest's directory until {@link Guest.end}. */
export async function bootGuest(tree: string, { expose = [], ...options }: Partial<BootOptions> = {}): Promise<Guest> {
  const dir = mkdtempSync(join(tmpdir(), "ksplice-vmtest-"));
  const kernel = await findRehearsalKernel(tree, defaultCacheDir(process.env));
  const machine = await bootMachine({
    ...kernel,
    consoleLog: join(dir, "console.log"),
    expose: [dir, packageRoot(), ...expose],
    ...options,
  });
  return new Guest(machine, dir);
}
