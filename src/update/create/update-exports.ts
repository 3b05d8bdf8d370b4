import type { NewCodeExport } from "../../diff/types.js";
import type { Unit } from "../../kbuild/types.js";
import { isForNamedModules } from "../../kbuild/module/module-metadata.js";
import type { UnitPart } from "./cut-out.js";
import { newGlobalElsewhere } from "./refusals.js";

/** What each target's module offers to others, and in which order the modules must be loaded. */
export interface UpdateExports {
  /** Targets, those first whose new symbols others use. */
  readonly order: readonly string[];
  readonly of: ReadonlyMap<string, readonly NewCodeExport[]>;
}

/**
 * The symbols that the patch exports, and new global ones of one target that new code of another uses: the kernel's loader finds those only if
 * they are exported.
 * @throws Refusal `new-global-elsewhere` where two targets use new symbols of each other: neither could be loaded first
 */
export function chooseExports(parts: readonly UnitPart[]): UpdateExports {
  const of = new Map<string, Map<string, NewCodeExport>>();
  const uses = new Map<string, Set<string>>();
  for (const { unit, newCode } of parts) {
    const exports = of.get(unit.target) ?? new Map<string, NewCodeExport>();
    of.set(unit.target, exports);
    for (const entry of newCode.exports) exports.set(entry.name, entry);
    for (const name of newCode.newGlobals) {
      // What moved is exported by the running kernel, if at all: its old code is led to the new one.
      if (namesMovedTo(unit, parts).has(name)) continue;
      // A target that defines the name itself means its own: an object that two modules have is compiled into both.
      const defining = new Set(parts.filter((part) => part.newCode.newGlobals.includes(name)).map((part) => part.unit.target));
      const users = parts.filter((part) => !defining.has(part.unit.target) && part.newCode.imports.some((entry) => entry.name === name));
      for (const user of users) {
        if (reaches(uses, unit.target, user.unit.target)) throw newGlobalElsewhere(name, unit, user.unit);
        uses.set(user.unit.target, (uses.get(user.unit.target) ?? new Set()).add(unit.target));
        const given = exports.get(name) ?? { name, symbol: name, isGpl: true, namespace: "" };
        // The update's module for such a target has another name than that.
        exports.set(name, isForNamedModules(given) ? { ...given, namespace: "" } : given);
      }
    }
  }
  const order: string[] = [];
  const place = (target: string): void => {
    if (order.includes(target)) return;
    for (const used of [...(uses.get(target) ?? [])].sort()) place(used);
    order.push(target);
  };
  for (const target of [...of.keys()].sort()) place(target);
  return { order, of: new Map([...of].map(([target, exports]) => [target, [...exports.values()]])) };
}

function namesMovedTo(unit: Unit, parts: readonly UnitPart[]): ReadonlySet<string> {
  return new Set(parts.flatMap(({ redirects }) => redirects.filter(({ to }) => to.unit === unit).map(({ name }) => name)));
}

/** True if `from` uses symbols of `to`, directly or through others. */
function reaches(uses: ReadonlyMap<string, ReadonlySet<string>>, from: string, to: string): boolean {
  return from === to || [...(uses.get(from) ?? [])].some((next) => reaches(uses, next, to));
}
