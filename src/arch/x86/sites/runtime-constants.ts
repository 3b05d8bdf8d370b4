import type { RuntimeConstant } from "../../arch.js";

/** Type of a constant, as its table's name has it, → bytes of an immediate. */
const IMMEDIATE_SIZES: ReadonlyMap<string, number> = new Map([
  ["ptr", 8],
  ["shift", 1],
  ["mask", 4],
]);

/** Tables of constants: arch/x86/include/asm/runtime-const.h, Linux 6.12 and 7.3. */
export function findRuntimeConstant(sectionName: string): RuntimeConstant | undefined {
  const [, type = "", variable = ""] = /^runtime_([a-z]+)_(.+)$/.exec(sectionName) ?? [];
  const size = IMMEDIATE_SIZES.get(type);
  return size === undefined ? undefined : { table: sectionName, variable, size };
}
