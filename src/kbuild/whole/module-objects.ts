import { join, normalize } from "node:path";
import { readTextIfThere } from "../../host/files.js";
import { UnitIndex, type IndexedObject } from "../compile/unit-index.js";
import { makeKernel, withBuildLock } from "../make.js";
import type { PreparedBuild } from "../types.js";
import { objectsNotTold } from "./refusals.js";

/**
 * The objects that kbuild links a module of, in the order in which it does. Its own list is the file `STEM.mod` (scripts/Makefile.build, Linux 6.1 and 6.12).
 * @param stem where kbuild makes the module, from the top of the tree, without an ending
 * @throws Refusal `module-objects` where the list names an object that kbuild has not told how to make, or leaves one out
 */
export async function findModuleObjects(build: PreparedBuild, name: string, stem: string): Promise<IndexedObject[]> {
  const list = `${stem}.mod`;
  const result = await withBuildLock(build.cacheDir, () => makeKernel({ ...build, source: build.tree.source }, [list]));
  const text = result.exitCode === 0 ? await readTextIfThere(join(build.outDir, list)) : undefined;
  if (text === undefined) throw objectsNotTold(name, result.stderr.trimEnd());
  const index = await UnitIndex.of(build);
  const paths = text.split(/\s+/).filter((word) => word !== "");
  const objects = paths.map((path) => {
    const found = index.find(normalize(path));
    // Of assembly kbuild does not tell the names of the modules that have it.
    if (found === undefined || (found.kind === "c" && !found.targets.includes(name)))
      throw objectsNotTold(name, `${path} is not on kbuild's lists of the module's objects`);
    return found;
  });
  const missing = index.objects.find((object) => object.targets.includes(name) && !objects.includes(object));
  if (missing !== undefined) throw objectsNotTold(name, `${list} leaves out ${missing.path}`);
  return objects;
}
