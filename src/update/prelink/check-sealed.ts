import { architectureOf } from "../../arch/architectures.js";
import type { ElfObject } from "../../elf/model.js";
import type { RunKernel } from "../../run-kernel.js";
import { sealedFunction } from "./refusals.js";
import { findTakenImports } from "./taken-addresses.js";

/** More than what marks a function's entry takes. Bytes. */
const ENTRY_SIZE = 8;

/**
 * Functions whose address nothing takes are sealed when the kernel or a module starts (objtool's --ibt, CONFIG_X86_KERNEL_IBT, Linux 6.2): a processor that
 * checks indirect branches stops at one. New code may take an address that no code took before.
 * @param ko a module with new code, its imports resolved
 * @throws Refusal `sealed-function`
 */
export function requireUnsealed(ko: ElfObject, target: string, run: RunKernel): void {
  const { sites } = architectureOf(ko);
  for (const addr of findTakenImports(ko).values()) {
    const symbol = run.symbolAt(addr);
    if (symbol?.addr !== addr || !/[tw]/i.test(symbol.type)) continue;
    const bytes = run.read(addr, ENTRY_SIZE);
    if (bytes !== undefined && sites.isSealedEntry(bytes)) throw sealedFunction(symbol.name, symbol.module ?? target);
  }
}
