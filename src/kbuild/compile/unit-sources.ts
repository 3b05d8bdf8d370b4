import { objectKey, ObjectCache } from "./object-cache.js";
import { findObjtoolCommand } from "./objtool.js";
import { Refusal } from "../../diagnostics.js";
import { expandedText, preprocessedText } from "./preprocessed.js";
import { compileUnpatched } from "./run-compiler.js";
import type { PreparedBuild } from "../types.js";
import type { UnitCommand } from "./unit-command.js";

/**
 * The files that an unpatched unit is compiled from, as the compiler says: from the top of the tree where they lie in the source, else absolute. Known
 * from the unit's object where that is in the cache; else the unit is preprocessed, which takes a fraction of the time.
 * @returns undefined where the compiler does not get through it, and for a unit that only the change brings
 */
export async function findUnitSources(build: PreparedBuild, command: UnitCommand): Promise<readonly string[] | undefined> {
  if (command.isNew) return undefined;
  const cache = new ObjectCache(build);
  const text = preprocessedText(command);
  const object = await cache.findFiles(await cache.keyOf(objectKey(command, await findObjtoolCommand(build, command))));
  const key = await cache.keyOf(text.key);
  const known =
    object ?? (await cache.findFiles(await cache.keyOf(expandedText(command, build.tree.source).key))) ?? (await cache.findFiles(key));
  if (known !== undefined) return known;
  const { product, dependencies } = await compileUnpatched(build, command, text);
  if (product instanceof Refusal) return undefined;
  await cache.store(key, product, dependencies);
  return await cache.findFiles(key);
}
