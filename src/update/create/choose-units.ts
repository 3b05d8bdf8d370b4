import type { Tell } from "../../events.js";
import { globPattern } from "../../host/glob.js";
import type { UnitWithCommand } from "../../kbuild/compile/unit-command.js";
import { findUnits } from "../../kbuild/reach/find-units.js";
import type { IncludeGraph } from "../../kbuild/reach/include-graph.js";
import type { PatchedSource } from "./patched-source.js";
import { noSuchTarget } from "./refusals.js";

export interface ChooseUnitsOptions {
  /** Keep only the units of these targets: names, with `*` for any letters. */
  readonly onlyTargets?: string;
  /** Refuse a header whose change may come into more objects than this. Default: none is too many. */
  readonly mostUnits?: number;
  /** Who includes whom in the source tree, for one who makes many updates from the same. Default: the tree is read, which takes seconds. */
  readonly includeGraph?: () => Promise<IncludeGraph>;
  readonly tell: Tell;
}

export interface ChosenUnits {
  readonly units: readonly UnitWithCommand[];
  /** Units of other targets than those that were asked for. */
  readonly leftOut: readonly UnitWithCommand[];
  /** What the user should know of the rest of the patch, once it is clear that there will be an update. */
  readonly notes: readonly string[];
}

/**
 * The units that the change comes into, of the targets that were asked for.
 * @throws Refusal for a file that no update can hold, or that nothing of the configuration is made of; `no-such-target`
 */
export async function chooseUnits({ build, patched }: PatchedSource, options: ChooseUnitsOptions): Promise<ChosenUnits> {
  const { onlyTargets, mostUnits, includeGraph } = options;
  const notes: string[] = [];
  const units = await findUnits(build, patched.touched, {
    tell: (kind, message) => {
      if (kind === "note") notes.push(message);
      else options.tell(kind, message);
    },
    patched,
    ...(mostUnits === undefined ? {} : { mostUnits }),
    ...(includeGraph === undefined ? {} : { includeGraph }),
  });
  if (onlyTargets === undefined) return { units, leftOut: [], notes };
  const pattern = globPattern(onlyTargets);
  if (units.length > 0 && !units.some((unit) => pattern.test(unit.target))) throw noSuchTarget(onlyTargets, units);
  const leftOut = units.filter((unit) => !pattern.test(unit.target));
  for (const unit of leftOut) notes.push(`${unit.path} is left out: it belongs to ${unit.target}`);
  return { units: units.filter((unit) => pattern.test(unit.target)), leftOut, notes };
}
