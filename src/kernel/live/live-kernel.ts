import { join } from "node:path";
import type { RunKernel, RunSymbol } from "../../run-kernel.js";
import type { SymbolTable } from "../kallsyms.js";
import { Kcore } from "./kcore.js";
import { readKernelFacts, readSymbols, type KernelFacts, type SystemMap, type UpdateFacts } from "./kernel-facts.js";
import { KspliceSysfs } from "../../engine/core/ksplice-sysfs.js";
import { readText } from "./read-file.js";
import { factsWithout, memoryWithout } from "./without-update.js";
import { refuseNotRoot } from "../../host/refusals.js";
import { refuseNoKcore } from "./refusals.js";

/** The kernel that runs on this machine, or one of which a snapshot was made. */
export interface LiveKernel extends RunKernel, KernelFacts {
  /** All symbols, also those of updates that are loaded and not applied, which `symbolsNamed` does not find. */
  allSymbols(): Iterable<RunSymbol>;
  close(): void;
}

export interface LiveKernelOptions {
  /** Directory that holds `proc/` and `sys/`; default `/`. */
  readonly root?: string;
  /** Id of an applied update: the kernel is shown as it is when that is undone. */
  readonly without?: string;
  /** Asked where the kernel itself does not tell where its variables are. */
  readonly systemMap?: SystemMap | undefined;
}

/**
 * Opens the running kernel for reading: its symbols, memory, modules and applied updates.
 * Memory is read once and kept, so open it anew after a change.
 * @throws Refusal `not-root`, `kallsyms-absent`, `kallsyms-hidden`, `kallsyms-incomplete`, `other-system-map`, `kcore-absent`
 */
export function openLiveKernel(options: LiveKernelOptions = {}): LiveKernel {
  const root = options.root ?? "/";
  if (root === "/" && process.geteuid?.() !== 0) throw refuseNotRoot();
  const { symbols } = readSymbols(root, options.systemMap);
  const kcore = openKcore(root);
  const facts = readKernelFacts(root);
  if (options.without === undefined) return makeLiveKernel(facts, symbols, kcore);
  const kernel = makeLiveKernel(factsWithout(facts, options.without), symbols, kcore);
  const displaced = new KspliceSysfs(root).readDisplaced(options.without);
  return { ...kernel, read: memoryWithout(displaced, (addr, size) => kcore.read(addr, size)) };
}

/** @param root directory that holds `proc/`. @throws Refusal `kcore-absent` */
export function openKcore(root: string): Kcore {
  const path = join(root, "proc/kcore");
  try {
    return new Kcore(path);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw refuseNoKcore(path, cause, readText(join(root, "sys/kernel/security/lockdown")));
  }
}

/** A kernel out of its parts. Closing it closes `memory`. */
export function makeLiveKernel(facts: KernelFacts, symbols: SymbolTable, memory: Kcore): LiveKernel {
  const { redirections, targets } = followUpdates(facts.updates, symbols);
  const replacements = new Set(redirections.values());
  const isDormant = dormantModules(facts.updates);
  return {
    ...facts,
    symbolsNamed: (name) => {
      const named = symbols.named(name);
      return named.some(({ module }) => isDormant(module)) ? named.filter(({ module }) => !isDormant(module)) : named;
    },
    allSymbols: () => ({ [Symbol.iterator]: () => symbols[Symbol.iterator]() }),
    symbolAt: (addr) => symbols.at(addr),
    symbolsStartingAt: (addr) => symbols.startingAt(addr),
    read: (addr, size) => memory.read(addr, size),
    newestCode: (addr) => followRedirections(redirections, addr),
    isReplacement: (addr) => replacements.has(addr),
    holdsCodeOf: (target, module) => (module ?? "vmlinux") === target || (module !== undefined && targets.get(module) === target),
    close: () => {
      memory.close();
    },
  };
}

/** What the applied updates have changed. */
interface AppliedUpdates {
  /** Old address → new address of every function that is redirected. */
  readonly redirections: ReadonlyMap<bigint, bigint>;
  /** Module with new code → the target whose code or data it replaces. */
  readonly targets: ReadonlyMap<string, string>;
}

function followUpdates(updates: readonly UpdateFacts[], symbols: SymbolTable): AppliedUpdates {
  const redirections = new Map<bigint, bigint>();
  const targets = new Map<string, string>();
  for (const { id, functions, writtenTargets } of updates.filter(({ stage }) => stage === "applied")) {
    for (const { oldAddr, newAddr, target } of functions) {
      redirections.set(oldAddr, newAddr);
      const module = symbols.at(newAddr)?.module;
      if (module !== undefined) targets.set(module, target);
    }
    // Where it replaces data only, its name tells.
    for (const target of writtenTargets) targets.set(`ksplice_${id}_${target}`, target);
  }
  return { redirections, targets };
}

/** Tells the modules of updates that are loaded and not applied, as those that stay after an undo: what they have is not what runs under its name. */
function dormantModules(updates: readonly UpdateFacts[]): (module: string | undefined) => boolean {
  const prefixes = updates.filter(({ stage }) => stage !== "applied").map(({ id }) => `ksplice_${id}_`);
  return (module) => module !== undefined && prefixes.some((prefix) => module.startsWith(prefix));
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
