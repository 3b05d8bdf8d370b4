import { SHF_ALLOC, SHF_WRITE, STT_OBJECT } from "../../elf/constants.js";
import { isSelfContained } from "../../elf/made-names.js";
import { homeSection } from "../../elf/model.js";
import { parseObject } from "../../elf/parse-object.js";
import type { RunKernel } from "../../run-kernel.js";
import type { PrelinkedPart } from "./prelink.js";

/** nm's letters for data that may be written to. */
const WRITABLE = /^[bdBD]$/;
/** Of the template, and for the core. */
const FRAME = /^__this_module$|^ksplice_/;
/** How many static locals of one name are looked for, by their numbers. */
const MOST_NUMBERS = 200;

/**
 * Variables that an update brings, and that the one which it comes in place of has brought under the same name: the new code has its own, with the initial value, and what the
 * other's has come to hold, a count or a list, is left behind with it.
 * @param kernel as it is while the other is applied
 * @param replaced the other's id
 */
export function findStateAnew(
  parts: readonly PrelinkedPart[],
  kernel: Pick<RunKernel, "symbolsNamed">,
  replaced: string,
): readonly string[] {
  const isOfReplaced = (name: string): boolean =>
    kernel.symbolsNamed(name).some(({ module, type }) => module?.startsWith(`ksplice_${replaced}_`) === true && WRITABLE.test(type));
  const found = variablesOf(parts).filter((name) => {
    const base = name.replace(/\.\d+$/, "");
    if (FRAME.test(base) || isSelfContained(base)) return false;
    return base === name ? isOfReplaced(name) : Array.from({ length: MOST_NUMBERS }, (_, number) => `${base}.${number}`).some(isOfReplaced);
  });
  return [...new Set(found.map((name) => name.replace(/\.\d+$/, "")))].sort();
}

function variablesOf(parts: readonly PrelinkedPart[]): string[] {
  return parts.flatMap(({ name, bytes }) =>
    parseObject(bytes, name).symbols.flatMap((symbol) => {
      const flags = homeSection(symbol)?.flags ?? 0;
      const isVariable = symbol.type === STT_OBJECT && (flags & SHF_ALLOC) !== 0 && (flags & SHF_WRITE) !== 0;
      return isVariable ? [symbol.name] : [];
    }),
  );
}
