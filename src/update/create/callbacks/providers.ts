import type { ChangedCallback } from "../../../btf/changed-callbacks.js";
import { isText, type Atom } from "../../../diff/atoms/atom.js";
import { STB_LOCAL, STT_FUNC } from "../../../elf/constants.js";
import { functionKey } from "../../linkage/together.js";
import type { UnitDiff } from "../../units/unit-diff.js";
import { keyOf, type Break, type CallbackUses } from "./unit-text.js";

/** A function that a member is given. */
export interface Provider {
  readonly name: string;
  readonly key: string;
  readonly callback: ChangedCallback;
}

export interface Providers {
  readonly functions: readonly Provider[];
  /** Every name that a member is given, also where no object has such a function: it may be a variable's. */
  readonly names: ReadonlyMap<string, ChangedCallback>;
  /** Those of them that other units can know by name. */
  readonly globals: readonly string[];
  readonly breaks: readonly Break[];
}

/**
 * The functions that members are given, each with its definition. The same ones must be given before and after the patch: a pointer that an object which is alive
 * holds leads to what the patch makes of the old function, and after an undo one that was made meanwhile leads to what that was.
 * @param uses by side and path of the unit
 */
export function findProviders(
  diffs: readonly UnitDiff[],
  callbacks: readonly ChangedCallback[],
  uses: ReadonlyMap<string, CallbackUses>,
): Providers {
  const functions: Provider[] = [];
  const globals = new Set<string>();
  const names = new Map<string, ChangedCallback>();
  const breaks: Break[] = [];
  for (const entry of diffs) {
    const [before, after] = ["pre", "post"].map((side) => uses.get(`${side} ${entry.unit.path}`)?.provided);
    for (const callback of callbacks) {
      const [had, has] = [before, after].map((provided) => provided?.get(keyOf(callback)) ?? new Set<string>());
      const isUnknown = [before, after].some((provided) => provided !== undefined && !provided.has(keyOf(callback)));
      if (had === undefined || has === undefined || isUnknown) continue;
      for (const name of new Set([...had, ...has])) {
        names.set(name, callback);
        const add = (why: string): void => {
          breaks.push({ callback, place: entry.unit.source, why });
        };
        if (!has.has(name)) add(`${name} is given to it only before the patch: objects that are alive may hold it. Keep the name`);
        else if (!had.has(name)) add(`${name} is given to it only with the patch: after an undo, old code would call it`);
        else {
          const found = definitionsOf(diffs, entry, name);
          if (found === undefined)
            add(
              `${name} is not the same function before and after the patch, has another name, too, or is defined in no file that is compiled for it`,
            );
          for (const definition of found ?? []) {
            functions.push({ name, callback, key: functionKey(definition.entry.unit, name) });
            if (definition.isGlobal) globals.add(name);
          }
        }
      }
    }
    if (entry.diff.pre.symbols.some(({ name }) => name.startsWith("__cfi_")) && callbacks[0] !== undefined)
      breaks.push({
        callback: callbacks[0],
        place: entry.unit.path,
        why: "indirect calls are checked by the type of the function, which the old ones keep",
      });
  }
  return { functions, names, globals: [...globals], breaks };
}

interface Definition {
  readonly entry: UnitDiff;
  readonly isGlobal: boolean;
}

/** Where the function is that a unit means by a name. Empty where its object has no use for it; undefined where that is not known, or not the same before and after. */
function definitionsOf(diffs: readonly UnitDiff[], entry: UnitDiff, name: string): Definition[] | undefined {
  const own = pairIn(entry, name);
  if (own === "differs") return undefined;
  if (own !== undefined) return [{ entry, isGlobal: own }];
  const isUsed = [entry.diff.pre, entry.diff.post].some((object) => object.symbols.some((symbol) => symbol.name === name));
  if (!isUsed) return [];
  const others = diffs.flatMap((other): (Definition | undefined)[] => {
    const found = pairIn(other, name);
    if (found === "differs") return [undefined];
    return found === true ? [{ entry: other, isGlobal: true }] : [];
  });
  const definitions = others.filter((definition) => definition !== undefined);
  return definitions.length > 0 && definitions.length === others.length ? definitions : undefined;
}

/** @returns whether the function is global; undefined where the unit does not define one of that name on either side */
function pairIn({ diff: { analysis } }: UnitDiff, name: string): boolean | "differs" | undefined {
  const [pre, post] = [findFunction(analysis.pre.atoms, name), findFunction(analysis.post.atoms, name)];
  if (pre === undefined && post === undefined) return undefined;
  if (pre === undefined || post === undefined || analysis.twins.get(post) !== pre) return "differs";
  // By another name it may be held elsewhere.
  if ([pre, post].some((atom) => atom.symbols.filter((symbol) => symbol.type === STT_FUNC).length > 1)) return "differs";
  return [pre, post].some((atom) => atom.symbols.some((symbol) => symbol.name === name && symbol.bind !== STB_LOCAL));
}

function findFunction(atoms: readonly Atom[], name: string): Atom | undefined {
  return atoms.find((atom) => isText(atom) && atom.symbols.some((symbol) => symbol.name === name));
}
