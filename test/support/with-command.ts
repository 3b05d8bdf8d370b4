import { findUnitCommands, type UnitWithCommand } from "../../src/kbuild/compile/unit-command.js";
import type { PreparedBuild, Unit } from "../../src/kbuild/types.js";

/** A unit of a build, with the command that makes it. */
export async function withCommand(build: PreparedBuild, unit: Unit): Promise<UnitWithCommand> {
  const command = (await findUnitCommands(build, [unit.path])).get(unit.path);
  if (command === undefined) throw new Error(`${unit.path} is not made in this configuration`);
  return { ...unit, command };
}
