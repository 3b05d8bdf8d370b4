import type { ElfObject } from "../elf/model.js";
import type { Architecture } from "./arch.js";
import { X86 } from "./x86/x86.js";

const ARCHITECTURES: readonly Architecture[] = [X86];

/**
 * The architecture of the kernels whose source is built here: one, so far. With a second, the configuration of the tree has to tell (CONFIG_X86_64), and
 * `KernelTree` to carry it.
 */
export const KERNEL_ARCHITECTURE: Architecture = X86;

/** What `uname -m` may say. */
export const ARCHITECTURE_NAMES: readonly string[] = ARCHITECTURES.map(({ name }) => name);

/** The architecture that an object is for. */
export function architectureOf({ machine, fileName }: Pick<ElfObject, "machine" | "fileName">): Architecture {
  const found = ARCHITECTURES.find((arch) => arch.machine === machine);
  if (found === undefined) throw new Error(`${fileName}: no architecture for ${machine.name}`);
  return found;
}

/** The architecture of a kernel. @param name as `uname -m` has it. @throws Error for one that is not known: an update is refused for it before */
export function requireArchitecture(name: string): Architecture {
  const found = ARCHITECTURES.find((arch) => arch.name === name);
  if (found === undefined) throw new Error(`no architecture is called ${name}`);
  return found;
}
