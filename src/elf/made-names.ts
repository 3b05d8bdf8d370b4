/** Names that no source has: what compilers, assemblers and objtool call the things that they make. */

const PADDING = "__pfx_";
const COLD = /\.cold(\.\d+)?$/;

/** What gcc adds to a function's name when it clones or splits it; the number may differ from build to build. */
export const CLONE_SUFFIX = /\.(constprop|isra|part|cold)(\.\d+)?/g;

/** What compilers add to a name at its end: `.isra.0`, `.constprop.0.cold`, `.45`. */
const ADDED = /(\.(isra|constprop|part|cold|\d+))+$/;

/** A name as the source has it. */
export function nameInSource(name: string): string {
  return name.replace(ADDED, "");
}

/** The call padding of a function (objtool's --prefix; tools/objtool/elf.c, elf_create_prefix_symbol, Linux 6.12). */
export function isPaddingName(name: string): boolean {
  return name.startsWith(PADDING);
}

/** What stands in front of a function and is none: its padding, or the hash of its type (clang's -fsanitize=kcfi). */
export function isPrefixName(name: string): boolean {
  return isPaddingName(name) || name.startsWith("__cfi_");
}

/** An assembler label such as `.LC12` and `.L45`: it names no object of the source. */
export function isLabelName(name: string): boolean {
  return name.startsWith(".L");
}

/** The function that a cold piece was split from (`f.cold` gives `f`); undefined for a function of its own. */
export function coldParent(name: string): string | undefined {
  return COLD.test(name) ? name.replace(COLD, "") : undefined;
}

/**
 * The second, global name that MODULE_DEVICE_TABLE gives to a table in a module, for tools only: nothing that runs goes by it. Newer kernels call it `__mod_device_table__…`
 * (include/linux/module.h, Linux 6.1 and 6.17).
 */
export function isDeviceTableAlias(name: string): boolean {
  return /^__mod_\w+__\w+_device_table$|^__mod_device_table__\w+__\w+$/.test(name);
}

/**
 * Static objects of macros that only keep a message from being printed too often, or carry a lock's or a message's description: a new one starts anew, which
 * does no harm (include/linux/once_lite.h, ratelimit.h, dynamic_debug.h, lockdep.h, Linux 6.1).
 */
const SELF_CONTAINED = /^(_rs|__print_once|__warned|__already_done|__already_done_\w+|__key|__UNIQUE_ID_\w+)$/;

/** @param name without the number of a static local */
export function isSelfContained(name: string): boolean {
  return SELF_CONTAINED.test(name);
}
