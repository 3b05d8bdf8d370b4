import { KERNEL_ARCHITECTURE } from "../arch/architectures.js";

/** A program's name without the processor that it is for, as the distribution calls its package. */
export function withoutPrefix(program: string): string {
  const { prefix } = KERNEL_ARCHITECTURE.tools;
  return program.startsWith(prefix) ? program.slice(prefix.length) : program;
}
