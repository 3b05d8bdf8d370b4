import { readFile } from "node:fs/promises";
import { findSection } from "../../elf/find-section.js";
import { makeProduct, type Variant } from "./make-product.js";
import { requireProgram } from "../../host/refusals.js";
import { noTypeInformation } from "./refusals.js";
import { runTool } from "../../host/run-tool.js";
import type { PreparedBuild } from "../types.js";
import type { UnitWithCommand } from "./unit-command.js";

/**
 * The types of one unit as BTF (the content of a .BTF section): compiled by the unit's own command with debug information, which pahole
 * translates, as for the kernel's own BTF. Of the unpatched unit all types that its text defines; of the patched one those that its code uses. So a type
 * that only new code uses has something to be compared with. Empty for a unit without any type.
 * @throws Refusal `does-not-compile`, `no-type-information`, or `missing-tools` where there is no pahole
 */
export async function compileTypes(build: PreparedBuild, unit: UnitWithCommand, variant: Variant = {}): Promise<Uint8Array> {
  const { command } = unit;
  const version = await runTool("pahole", ["--version"], { root: build.root });
  if (version.notFound) throw requireProgram("pahole", "dwarves");
  const compile = withDebugInformation(command.compile, variant.shadow === undefined);
  return await makeProduct(build, command, variant, {
    compile,
    key: [unit.path, ...compile, "types", version.stdout.trim()],
    finish: async (path) => {
      // Without the variable pahole wants the program llvm-objcopy.
      const result = await runTool("pahole", ["-J", "--skip_encoding_btf_vars", path], {
        env: { LLVM_OBJCOPY: "objcopy" },
        root: build.root,
      });
      if (result.exitCode !== 0) throw noTypeInformation(unit.path, result.stderr.replaceAll(path, unit.path).trimEnd());
      return Uint8Array.from(findSection(await readFile(path), ".BTF", unit.path) ?? []);
    },
  });
}

/** Flags of a kernel's own debug information that leave types out, or put them where pahole does not look. */
const REDUCED = /^(?:-g0|-g1|-gmlt|-gline-tables-only|-gsplit-dwarf.*|-gz.*|-Wa,.*compress-debug.*|-femit-struct-debug.*|-flto.*)$/;

/**
 * The kernel's own words for debug information, without ours that switch it off. Where variables live in the code is left out: it takes a third of
 * the compiler's time. @param all also types that the code does not use
 */
export function withDebugInformation(compile: readonly string[], all: boolean): string[] {
  const words = compile.filter((word) => !REDUCED.test(word));
  const added = [
    ...(words.some((word) => /^-g(?:\d|dwarf.*|gdb\d?)?$/.test(word)) ? [] : ["-g"]),
    "-fno-var-tracking",
    ...(all ? ["-fno-eliminate-unused-debug-types"] : []),
  ];
  // The source stands last.
  return [...words.slice(0, -1), ...added, ...words.slice(-1)];
}
