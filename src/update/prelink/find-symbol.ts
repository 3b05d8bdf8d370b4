import type { RunKernel, RunSymbol } from "../../run-kernel.js";
import { isGlobal } from "../../run-kernel.js";

/**
 * Finds symbols by name in the running kernel's table, for code that matching does not reach. Nothing is guessed: where the table leaves
 * more than one address, there is none.
 */

/**
 * The address of a name with external linkage, as code of `target` means it. A global symbol of the target's own is taken whatever static ones of
 * that name there are. Without one, the name must be unambiguous among the target's other symbols (a patch may take a `static` away), what
 * earlier updates of the target brought, and, for a module, vmlinux's global symbols; where there is none, it is what another module exports.
 * @returns the address, or why there is none
 */
export function findExternalSymbol(name: string, target: string, run: RunKernel): bigint | string {
  const named = run.symbolsNamed(name);
  const own = named.filter((symbol) => isOf(symbol, target));
  const global = own.filter(isGlobal);
  if (global.length > 0) return onlyAddress(global);
  // What replaces a function of the target has its name; the function itself is what other code means.
  const replacements = new Set(own.map((symbol) => run.newestCode(symbol.addr)));
  const brought = named.filter(
    (symbol) => !isOf(symbol, target) && run.holdsCodeOf(target, symbol.module) && !replacements.has(run.newestCode(symbol.addr)),
  );
  const kernel = target === "vmlinux" ? [] : named.filter((symbol) => symbol.module === undefined);
  // Of a function that updates brought, and replaced since, other code means the first.
  const firsts = brought.filter((symbol) => !run.isReplacement(symbol.addr));
  const candidates = [...own, ...(firsts.length > 0 ? firsts : brought), ...kernel.filter(isGlobal)];
  // What another module exports is last, and nobody else's: no name is exported twice. What it only shares within itself no other's source can mean, nor can the kernel's image any of it.
  const exporters = new Set(target === "vmlinux" ? [] : run.symbolsNamed(`__ksymtab_${name}`).map((symbol) => symbol.module));
  const elsewhere = named.filter(
    (symbol) => symbol.module !== undefined && exporters.has(symbol.module) && !isOf(symbol, target) && isGlobal(symbol),
  );
  const others = kernel.length > 0 ? kernel : elsewhere;
  return onlyAddress(candidates.length > 0 ? candidates : others);
}

/**
 * The address of a name that the target's own unit defines, static or not: nowhere but in the target, or in what earlier updates of it brought.
 * @returns the address, or why there is none
 */
export function findOwnSymbol(name: string, target: string, run: RunKernel): bigint | string {
  const named = run.symbolsNamed(name);
  // Each update's module has names of its own (__this_module) that the target has too, and that mean the target's here.
  const own = named.filter((symbol) => isOf(symbol, target));
  return onlyAddress(own.length > 0 ? own : named.filter((symbol) => run.holdsCodeOf(target, symbol.module)));
}

function isOf(symbol: RunSymbol, target: string): boolean {
  return (symbol.module ?? "vmlinux") === target;
}

function onlyAddress(candidates: readonly RunSymbol[]): bigint | string {
  const addresses = new Set(candidates.map((candidate) => candidate.addr));
  const [first] = addresses;
  if (first === undefined) return "the running kernel has no symbol of that name";
  if (addresses.size > 1) return `the running kernel has ${addresses.size} symbols of that name`;
  return first;
}

/** True for memory of the kernel's image that was given back after boot (include/asm-generic/vmlinux.lds.h, Linux 6.1). */
export function isFreed(addr: bigint, run: RunKernel): boolean {
  const [start, end] = ["__init_begin", "__init_end"].map(
    (edge) => run.symbolsNamed(edge).find(({ module }) => module === undefined)?.addr,
  );
  return start !== undefined && end !== undefined && addr >= start && addr < end;
}
