import { SHF_ALLOC, SHF_WRITE, STT_OBJECT } from "../../elf/constants.js";
import { isSelfContained, nameInSource } from "../../elf/made-names.js";
import { homeSection } from "../../elf/model.js";
import { parseObject } from "../../elf/parse-object.js";
import { UPDATE_SUFFIX } from "../../kernel/kallsyms.js";
import type { RunSymbol } from "../../run-kernel.js";
import type { PrelinkedPart } from "./prelink.js";

const CODE = /^[tT]$/;
const DATA = /^[^tT]$/;
/** nm's letters for data that may be written to. */
const WRITABLE = /^[bBdD]$/;
/** Every module has it, and it is data: where it cannot be seen, no data of modules can (CONFIG_KALLSYMS_ALL). */
const OF_ALL_MODULES = "__this_module";
/** Of the template, and for the core; and the name of a function for messages, which nothing goes by. */
const FRAME = /^__this_module$|^ksplice_|^__func__$|^__PRETTY_FUNCTION__$/;

/** An update that is or was applied. */
export interface FormerUpdate {
  readonly id: string;
  /** True if it gives way to the new one in the same stop, false if it was undone and has stayed in memory. */
  readonly isReplaced: boolean;
  /** True if nobody can have got the address of anything in it. */
  readonly isUnloadable: boolean;
}

/** What two updates both bring, by the names that the source has. */
export interface LeftBehind {
  readonly former: string;
  /** Variables: the new code has its own, with the initial value, and what the former's has come to hold, a count, a list or a lock, is not there. */
  readonly variables: readonly string[];
  /** What objects of the kernel may have been given the address of, the former's, and go on with: callbacks, tables of operations, heads of lists. */
  readonly held: readonly string[];
}

/**
 * What an update brings anew although another has brought it before: the new code and the kernel's objects would not mean the same by one name.
 * @param symbols of all of the kernel, those of updates that are not applied included
 */
export function findLeftBehind(
  parts: readonly PrelinkedPart[],
  symbols: Iterable<RunSymbol>,
  formers: readonly FormerUpdate[],
): LeftBehind[] {
  if (formers.length === 0) return [];
  const isOfUpdate = (module: string | undefined): boolean => module !== undefined && formers.some(({ id }) => isModuleOf(module, id));
  const theirs = [...symbols].filter(({ module }) => isOfUpdate(module));
  const taken = parts.flatMap(({ takenAddresses }) => takenAddresses);
  const variables = sourceNames(parts.flatMap(variablesOf));
  const code = sourceNames(taken.filter((name) => name.includes(UPDATE_SUFFIX)));
  const data = sourceNames(taken.filter((name) => !name.includes(UPDATE_SUFFIX)));
  return formers.flatMap(({ id, isReplaced, isUnloadable }): LeftBehind[] => {
    const own = theirs.filter(({ module }) => module !== undefined && isModuleOf(module, id));
    const named = (type: RegExp): ReadonlySet<string> =>
      new Set(own.filter((symbol) => type.test(symbol.type)).map(({ name }) => nameInSource(name)));
    const [hasCode, hasData, hasVariable] = [named(CODE), named(DATA), named(WRITABLE)];
    // What cannot be seen may be there.
    const isHidden = !own.some(({ name }) => name === OF_ALL_MODULES);
    const found: LeftBehind = {
      former: id,
      variables: isReplaced ? variables.filter((name) => isHidden || hasVariable.has(name)) : [],
      held: isUnloadable ? [] : [...code.filter((name) => hasCode.has(name)), ...data.filter((name) => isHidden || hasData.has(name))],
    };
    return found.variables.length + found.held.length === 0 ? [] : [found];
  });
}

function isModuleOf(module: string, id: string): boolean {
  return module.startsWith(`ksplice_${id}_`);
}

/** Names as the source has them; not those that nothing depends on, and of sections. */
function sourceNames(names: readonly string[]): string[] {
  const plain = names.map((name) => nameInSource(name.split(UPDATE_SUFFIX)[0] ?? name));
  const found = plain.filter((name) => !name.startsWith(".") && !FRAME.test(name) && !isSelfContained(name));
  return [...new Set(found)].sort();
}

function variablesOf({ name, bytes }: PrelinkedPart): string[] {
  return parseObject(bytes, name).symbols.flatMap((symbol) => {
    const flags = homeSection(symbol)?.flags ?? 0;
    const isVariable = symbol.type === STT_OBJECT && (flags & SHF_ALLOC) !== 0 && (flags & SHF_WRITE) !== 0;
    return isVariable ? [symbol.name] : [];
  });
}
