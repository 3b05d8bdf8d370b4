import { machine, release } from "node:os";
import { join } from "node:path";
import { KERNEL_ARCHITECTURE } from "../../arch/architectures.js";
import { parseBuildId } from "../../elf/notes.js";
import { parseKallsyms, type SymbolTable } from "../kallsyms.js";
import { KspliceSysfs, type RedirectedFunction } from "../../engine/core/ksplice-sysfs.js";
import { parseModules, readModuleSections, type LoadedModule } from "./modules.js";
import { readOptional, readText, readWholeFile } from "./read-file.js";
import { lacksVariables, completeSymbols } from "../system-map.js";
import { refuseHiddenKallsyms, refuseIncompleteKallsyms, refuseNoKallsyms, refuseSystemMap } from "./refusals.js";

/** Which kernel it is. */
export interface KernelIdentity {
  /** What `uname -r` says. */
  readonly release: string;
  /** What `uname -m` says. */
  readonly machine: string;
  /** GNU build id of vmlinux in lower-case hexadecimal; undefined if the kernel has none. */
  readonly buildId: string | undefined;
}

/** What is to be known of a kernel besides its symbols and its memory: read from /proc and /sys, or from a snapshot. */
export interface KernelFacts extends KernelIdentity {
  readonly modules: readonly LoadedModule[];
  /** Interface version of the kernel core; undefined if it is not loaded. */
  readonly coreVersion: number | undefined;
  readonly updates: readonly UpdateFacts[];
  /** Load addresses of a module's sections; undefined if it is not loaded. */
  moduleSections(module: string): ReadonlyMap<string, bigint> | undefined;
}

/** An update that is loaded, applied or not. */
export interface UpdateFacts {
  readonly id: string;
  readonly stage: string;
  readonly functions: readonly RedirectedFunction[];
  /** Targets whose data it overwrites. */
  readonly writtenTargets: readonly string[];
}

/** Symbols, as text and as a table of it. */
export interface SymbolText {
  readonly text: Uint8Array;
  readonly symbols: SymbolTable;
}

/** Anybody may read it. @param root directory that holds `proc/` and `sys/` */
export function readKernelIdentity(root = "/"): KernelIdentity {
  const notes = readOptional(join(root, "sys/kernel/notes"));
  return {
    // In a chroot nobody may have mounted /proc: what uname(2) says is the same.
    release: readText(join(root, "proc/sys/kernel/osrelease")) ?? (root === "/" ? release() : ""),
    machine: readText(join(root, "proc/sys/kernel/arch")) ?? machine(),
    buildId: notes === undefined ? undefined : parseBuildId(notes),
  };
}

/** @param root directory that holds `proc/` and `sys/` */
export function readKernelFacts(root: string): KernelFacts {
  const sections = new Map<string, ReadonlyMap<string, bigint> | undefined>();
  const sysfs = new KspliceSysfs(root);
  const updates = sysfs.listIds().flatMap((id) => sysfs.readUpdate(id) ?? []);
  return {
    ...readKernelIdentity(root),
    modules: parseModules(readText(join(root, "proc/modules")) ?? ""),
    coreVersion: sysfs.readCoreVersion(),
    updates: updates.map(({ id, stage, functions, writes }) => ({
      id,
      stage,
      functions,
      writtenTargets: [...new Set(writes.map(({ target }) => target))],
    })),
    moduleSections: (module) => {
      if (!sections.has(module)) sections.set(module, readModuleSections(root, module));
      return sections.get(module);
    },
  };
}

/** System.map of a kernel that does not tell itself where its variables are. */
export interface SystemMap {
  /** For messages. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * The kernel's symbols; those of its variables out of System.map where its own table has none.
 * @param root directory that holds `proc/`
 * @throws Refusal `kallsyms-absent`, `kallsyms-hidden`, `kallsyms-incomplete`, `other-system-map`
 */
export function readSymbols(root: string, systemMap?: SystemMap): SymbolText {
  const own = readOwnSymbols(root);
  if (!lacksVariables(own.symbols)) return own;
  if (systemMap === undefined) throw refuseIncompleteKallsyms(join(root, "proc/kallsyms"));
  const { kernelMapAddr } = KERNEL_ARCHITECTURE.memory;
  const completed = completeSymbols(own.text, systemMap.bytes, kernelMapAddr);
  if (typeof completed === "string") throw refuseSystemMap(systemMap.path, completed);
  return completed;
}

function readOwnSymbols(root: string): SymbolText {
  const path = join(root, "proc/kallsyms");
  let text: Uint8Array;
  try {
    text = readWholeFile(path);
  } catch (error) {
    throw refuseNoKallsyms(path, error instanceof Error ? error.message : String(error));
  }
  const symbols = parseKallsyms(text);
  if (symbols.size === 0) throw refuseNoKallsyms(path, "it is empty");
  if (symbols.isHidden) throw refuseHiddenKallsyms(path, readText(join(root, "proc/sys/kernel/kptr_restrict")));
  return { text, symbols };
}
