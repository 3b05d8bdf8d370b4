import { kernelLacks, linkTimeOptimised } from "./refusals.js";

/** What a kernel's configuration must have, and why nothing can be applied to it without. Sources: init/Kconfig and fs/proc/Kconfig, Linux 6.1. */
const NEEDED: ReadonlyMap<string, string> = new Map([
  ["MODULES", "no update can be loaded into it"],
  ["PROC_FS", "it tells nothing of itself"],
  ["SYSFS", "it tells nothing of itself"],
  // The list of a module's sections is part of it (kernel/module/sysfs.c).
  ["KALLSYMS", "it does not tell where its functions are, nor where its modules', so that nobody can say what else refers to a function"],
  ["PROC_KCORE", "its code cannot be compared with what the source says"],
]);

/**
 * Whether a kernel that is configured so can be patched at all.
 * @param location of the configuration, for messages
 * @throws Refusal `kernel-lacks-options`, `link-time-optimised`
 */
export function requirePatchable(config: ReadonlyMap<string, string>, location: string): void {
  const missing = [...NEEDED].filter(([option]) => !config.has(option));
  if (missing.length > 0) throw kernelLacks(location, missing);
  requireCompiledObjects(config, location);
}

/** @throws Refusal `link-time-optimised` where no object that the compiler makes has the code that runs */
export function requireCompiledObjects(config: ReadonlyMap<string, string>, location: string): void {
  if (config.has("LTO")) throw linkTimeOptimised(location);
}
