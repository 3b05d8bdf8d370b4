import { readFile } from "node:fs/promises";
import { dropPlaces, namesPlaces } from "./drop-places.js";
import { makeProduct, type Variant } from "./make-product.js";
import { objectKey } from "./object-cache.js";
import { findObjtoolCommand, runObjtool } from "./objtool.js";
import type { CompiledUnit, PreparedBuild } from "../types.js";
import type { UnitWithCommand } from "./unit-command.js";

/**
 * Compiles one unit as kbuild does, by kbuild's own command, with a section for each function and datum and without debug info.
 * Objects come from the cache where no file that they depend on has changed.
 * @throws Refusal `does-not-compile` with the compiler's own words
 */
export async function compileUnit(build: PreparedBuild, unit: UnitWithCommand, variant: Variant = {}): Promise<CompiledUnit> {
  const { command } = unit;
  const objtool = await findObjtoolCommand(build, command);
  const top = variant.shadow?.root ?? build.tree.source;
  const hasPlaces = namesPlaces(command.compile);
  const object = await makeProduct(build, command, variant, {
    compile: command.compile,
    key: objectKey(command, objtool),
    finish: async (path) => {
      if (objtool !== undefined) await runObjtool(build, objtool, path, unit.path);
      const bytes = await readFile(path);
      return hasPlaces ? dropPlaces(bytes, top, unit.path) : bytes;
    },
  });
  return { unit, object };
}
