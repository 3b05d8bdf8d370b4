import { readFileSync } from "node:fs";
import { machine } from "node:os";
import { join } from "node:path";
import type { RunKernel } from "../match/run-kernel.js";
import { parseKallsyms, type SymbolTable } from "./kallsyms.js";
import { Kcore } from "./kcore.js";
import { KspliceSysfs } from "./ksplice-sysfs.js";
import { parseModules, readModuleSections, type LoadedModule } from "./modules.js";
import { parseBuildId } from "../elf/notes.js";
import { refuseHiddenKallsyms, refuseNoKallsyms, refuseNoKcore, refuseNotRoot } from "./refusals.js";

/** The kernel that runs on this machine, or a saved one. */
export interface LiveKernel extends RunKernel {
  /** What `uname -r` says. */
  readonly release: string;
  /** What `uname -m` says. */
  readonly machine: string;
  /** GNU build id of vmlinux in lower-case hexadecimal; undefined if the kernel has none. */
  readonly buildId: string | undefined;
  readonly modules: readonly LoadedModule[];
  close(): void;
}

export interface LiveKernelOptions {
  /** Directory that holds `proc/` and `sys/`: `/` by default, or a saved kernel's. */
  readonly root?: string;
}

/**
 * Opens the running kernel for reading: its symbols, memory, modules and applied updates.
 * Memory is read once and kept, so open it anew after a change.
 * @throws Refusal `not-root`, `kallsyms-absent`, `kallsyms-hidden`, `kcore-absent`
 */
export function openLiveKernel(options: LiveKernelOptions = {}): LiveKernel {
  const root = options.root ?? "/";
  if (root === "/" && process.geteuid?.() !== 0) throw refuseNotRoot();
  const symbols = readSymbols(root);
  const kcore = openKcore(root);
  const { redirections, targets } = readAppliedUpdates(root, symbols);
  const sections = new Map<string, ReadonlyMap<string, bigint> | undefined>();
  const notes = readOptional(join(root, "sys/kernel/notes"));

  return {
    release: readText(join(root, "proc/sys/kernel/osrelease")) ?? "",
    machine: readText(join(root, "proc/sys/kernel/arch")) ?? machine(),
    buildId: notes === undefined ? undefined : parseBuildId(notes),
    modules: parseModules(readText(join(root, "proc/modules")) ?? ""),
    symbolsNamed: (name) => symbols.named(name),
    symbolAt: (addr) => symbols.at(addr),
    read: (addr, size) => kcore.read(addr, size),
    newestCode: (addr) => followRedirections(redirections, addr),
    holdsCodeOf: (target, module) => (module ?? "vmlinux") === target || (module !== undefined && targets.get(module) === target),
    moduleSections: (module) => {
      if (!sections.has(module)) sections.set(module, readModuleSections(root, module));
      return sections.get(module);
    },
    close: () => {
      kcore.close();
    },
  };
}

function readSymbols(root: string): SymbolTable {
  const path = join(root, "proc/kallsyms");
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw refuseNoKallsyms(path, messageOf(error));
  }
  const symbols = parseKallsyms(bytes);
  if (symbols.size === 0) throw refuseNoKallsyms(path, "it is empty");
  if (symbols.isHidden) throw refuseHiddenKallsyms(path, readText(join(root, "proc/sys/kernel/kptr_restrict")));
  return symbols;
}

function openKcore(root: string): Kcore {
  const path = join(root, "proc/kcore");
  try {
    return new Kcore(path);
  } catch (error) {
    throw refuseNoKcore(path, messageOf(error), readText(join(root, "sys/kernel/security/lockdown")));
  }
}

/** What the applied updates have changed. */
interface AppliedUpdates {
  /** Old address → new address of every function that is redirected. */
  readonly redirections: ReadonlyMap<bigint, bigint>;
  /** Module with new code → the target whose code or data it replaces. */
  readonly targets: ReadonlyMap<string, string>;
}

function readAppliedUpdates(root: string, symbols: SymbolTable): AppliedUpdates {
  const sysfs = new KspliceSysfs(root);
  const redirections = new Map<bigint, bigint>();
  const targets = new Map<string, string>();
  for (const id of sysfs.listIds()) {
    const update = sysfs.readUpdate(id);
    if (update?.stage !== "applied") continue;
    for (const { oldAddr, newAddr, target } of update.functions) {
      // A removed function (new address 0) has no newer code; what runs is the old code's trap.
      if (newAddr === 0n) continue;
      redirections.set(oldAddr, newAddr);
      const module = symbols.at(newAddr)?.module;
      if (module !== undefined) targets.set(module, target);
    }
    // Where it replaces data only, its name tells.
    for (const { target } of update.writes) targets.set(`ksplice_${id}_${target}`, target);
  }
  return { redirections, targets };
}

function followRedirections(redirections: ReadonlyMap<bigint, bigint>, addr: bigint): bigint {
  let newest = addr;
  for (let steps = 0; steps <= redirections.size; steps++) {
    const next = redirections.get(newest);
    if (next === undefined) return newest;
    newest = next;
  }
  throw new Error(`the applied updates redirect the function at 0x${addr.toString(16)} in a circle`);
}

function readOptional(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function readText(path: string): string | undefined {
  const bytes = readOptional(path);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes).trim();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
