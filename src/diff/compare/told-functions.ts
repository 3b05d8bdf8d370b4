import { findComparedFunctions } from "../atoms/handed-out.js";
import { atomName } from "../atoms/atom.js";
import type { SplitObject } from "../atoms/split-object.js";
import * as refuse from "../refusals.js";
import type { DiffRefusal } from "../types.js";
import type { Twins } from "./group.js";

/**
 * New functions that code tells objects by, where it told them by one that is gone: nothing shows that the one is the other under a new name, so that what objects
 * hold is not the address which the patched code looks for.
 */
export function findToldFunctions(pre: SplitObject, post: SplitObject, twins: Twins): DiffRefusal[] {
  const continued = new Set(twins.values());
  const gone = [...findComparedFunctions(pre).keys()].find((atom) => !continued.has(atom));
  if (gone === undefined) return [];
  return [...findComparedFunctions(post)].flatMap(([atom, reader]) =>
    twins.has(atom) ? [] : [refuse.functionToldByAddress(atomName(atom), atomName(gone), atomName(reader))],
  );
}
