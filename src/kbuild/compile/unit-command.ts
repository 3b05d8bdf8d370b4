import { parseCommandLine } from "./saved-command.js";
import type { PreparedBuild, Unit } from "../types.js";
import { UnitIndex, type IndexedObject } from "./unit-index.js";

/** How kbuild makes one unit. */
export interface UnitCommand {
  /** The first of {@link units}. */
  readonly unit: Unit;
  /** One for each target that has the object. */
  readonly units: readonly Unit[];
  /** The object as kbuild spells it, with `..` where its makefile has that. */
  readonly object: string;
  readonly compile: readonly string[];
  readonly objtool: readonly string[] | undefined;
  /** Files of the output directory that kbuild makes before the object. */
  readonly generated: readonly string[];
  /** Where the commands run, from the top of the source; undefined for the output directory. */
  readonly directory?: string;
  /** The change brings the object: the kernel has none, and its source may not be there before. */
  readonly isNew: boolean;
}

/** A unit, with the command that makes it. */
export interface UnitWithCommand extends Unit {
  readonly command: UnitCommand;
}

/** What a command makes: a unit for each target that has the object. */
export function unitsOf(command: UnitCommand): UnitWithCommand[] {
  return command.units.map((unit) => ({ ...unit, command }));
}

/** The commands of those objects that this configuration has, by object path (`net/ipv4/raw.o`). Objects that it does not have are absent. */
export async function findUnitCommands(build: PreparedBuild, objects: readonly string[]): Promise<ReadonlyMap<string, UnitCommand>> {
  const index = await UnitIndex.of(build);
  const found = new Map<string, UnitCommand>();
  for (const path of objects) {
    const entry = index.find(path);
    if (entry?.kind === "c") found.set(path, await commandOf(index, entry));
  }
  return found;
}

/** How kbuild makes an object, also one that goes into an image of its own; the target of such a unit is empty. */
export async function commandOf(index: UnitIndex, entry: IndexedObject): Promise<UnitCommand> {
  return commandFrom(entry, await index.commandOf(entry), false);
}

/** @param text the command as kbuild tells it */
export function commandFrom(
  { path, object, source, targets, generated, directory }: IndexedObject,
  text: string,
  isNew: boolean,
): UnitCommand {
  const { compile, objtool } = parseCommandLine(text);
  const [first, ...others] = targets.map((target): Unit => ({ path, source, target }));
  const unit = first ?? { path, source, target: "" };
  return { unit, units: [unit, ...others], object, compile, objtool, generated, isNew, ...(directory === undefined ? {} : { directory }) };
}
