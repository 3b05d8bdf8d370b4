import { isLoaded } from "../src/update/match/match-update.js";
import { parseObject } from "../src/elf/parse-object.js";
import { mapLimited } from "../src/host/map-limited.js";
import { compileUnit } from "../src/kbuild/compile/compile-unit.js";
import { findUnitCommands, unitsOf, type UnitWithCommand } from "../src/kbuild/compile/unit-command.js";
import { EXPORTS as RUST_EXPORTS } from "../src/kbuild/reach/rust-bindings.js";
import type { UnitIndex } from "../src/kbuild/compile/unit-index.js";
import type { PreparedBuild } from "../src/kbuild/types.js";
import type { LiveKernel } from "../src/kernel/live/live-kernel.js";
import { matchUnit } from "../src/match/match-unit.js";
import { shuffled } from "../corpus/shuffled.js";
import type { KernelFigures } from "./figures.js";

/** Units drawn at random of all that the kernel and its modules are made of. */
export async function drawUnits(build: PreparedBuild, index: UnitIndex, count: number, seed: number): Promise<UnitWithCommand[]> {
  // Of Rust's exports C is made only where Rust is compiled. There are no functions in it.
  const objects = index.objects
    .filter(({ kind, targets, path }) => kind === "c" && targets.length > 0 && path !== RUST_EXPORTS)
    .map(({ path }) => path);
  const drawn = shuffled(objects, seed).slice(0, count);
  const commands = await findUnitCommands(build, drawn);
  return drawn.flatMap((path) => {
    const command = commands.get(path);
    return command === undefined ? [] : unitsOf(command);
  });
}

/** Compiles the units as they are, without a patch, and compares every function of them with a kernel. */
export async function matchSample(
  build: PreparedBuild,
  units: readonly UnitWithCommand[],
  kernel: LiveKernel,
  jobs: number,
): Promise<NonNullable<KernelFigures["matching"]>> {
  const known = units.filter(({ target }) => isLoaded(target, kernel));
  const matches = await mapLimited(known, jobs, async (unit) => {
    const { object } = await compileUnit(build, unit);
    return { unit, match: matchUnit(parseObject(object, unit.path), unit, kernel) };
  });
  const mismatches = matches.flatMap(({ unit, match }) =>
    match.kind === "matched"
      ? []
      : [
          {
            unit: unit.path,
            functions: match.mismatches.map((mismatch) => mismatch.function),
            cause: match.mismatches[0]?.likelyCause ?? "",
          },
        ],
  );
  const functions = matches.reduce((total, { match }) => total + match.statistics.functions, 0);
  return {
    units: known.length,
    functions,
    // One that the kernel has not, because another unit's copy was taken, is none that does not match.
    matched: functions - mismatches.reduce((total, unit) => total + new Set(unit.functions).size, 0),
    unknownUnits: units.length - known.length,
    mismatches,
  };
}
