import type { SplitObject } from "../atoms/split-object.js";
import * as refuse from "../refusals.js";
import type { DiffRefusal } from "../types.js";

/** What module_init and module_exit call a module's functions; the module's own structure, which modpost makes, points to them (include/linux/module.h, Linux 6.1). */
export const MODULE_CALLS: readonly string[] = ["init_module", "cleanup_module"];

/** A module that gets a function for its start or its end, or has none any more: the running one's structure says what it said. */
export function compareModuleCalls(pre: SplitObject, post: SplitObject): DiffRefusal[] {
  const [had, has] = [definedNames(pre), definedNames(post)];
  return MODULE_CALLS.filter((name) => had.has(name) !== has.has(name)).map((name) =>
    refuse.changedRegistration("changed-initcalls", "init and exit calls", name, has.has(name) ? "appears" : "is removed"),
  );
}

function definedNames(split: SplitObject): ReadonlySet<string> {
  return new Set(split.atoms.flatMap(({ symbols }) => symbols.map(({ name }) => name)));
}
