import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isFile } from "../../host/files.js";
import { readTopLevel } from "../../source/top-level-items.js";
import type { PatchedTree } from "../change/patched-tree.js";
import { makeProduct } from "../compile/make-product.js";
import { preprocessedText, preprocessOnly } from "../compile/preprocessed.js";
import type { Product } from "../compile/run-compiler.js";
import { commandOf, type UnitCommand } from "../compile/unit-command.js";
import type { UnitIndex } from "../compile/unit-index.js";
import { findUnitSources } from "../compile/unit-sources.js";
import type { PreparedBuild } from "../types.js";
import { rustBindingsReached } from "./refusals.js";

/** Objects of C beside the kernel's Rust (rust/Makefile, Linux 7.3); only a kernel with Rust has them. */
export const EXPORTS = "rust/exports.o";
const HELPERS = { object: "rust/helpers/helpers.o", source: "rust/helpers/helpers.c" };
/** Headers that only include others: what they declare is what Rust code is compiled with. */
const BINDINGS = ["rust/bindings/bindings_helper.h", "rust/uapi/uapi_helper.h"];

/**
 * Rust code is compiled with what C headers declare, and nothing of it is compiled again for an update: types, constants and prototypes that it may
 * use must stay. Bodies of functions do not come into it; the C functions that it calls in place of inline ones are an object of their own, a unit like any other.
 * @param files touched C files and headers
 * @throws Refusal `rust-bindings`
 */
export async function refuseRustBindings(
  build: PreparedBuild,
  index: UnitIndex,
  patched: PatchedTree,
  files: readonly string[],
): Promise<void> {
  const entry = index.find(EXPORTS);
  if (entry === undefined) return;
  const exports = await commandOf(index, entry);
  const judged: [UnitCommand, (command: UnitCommand) => Product][] = BINDINGS.map((source) => [compiling(exports, source), declarations]);
  // Where the functions are compiled into Rust code, their bodies come into it, too.
  if (index.find(HELPERS.object) === undefined) judged.push([compiling(exports, HELPERS.source), preprocessedText]);
  for (const [command, productOf] of judged) {
    const { source } = command.unit;
    if (!(await isFile(join(build.tree.source, source)))) continue;
    const read = await findUnitSources(build, command);
    const used = read === undefined ? files : files.filter((file) => read.includes(file));
    if (used.length === 0) continue;
    const product = productOf(command);
    const pre = await makeProduct(build, command, {}, product);
    const post = await makeProduct(build, command, { shadow: patched }, product);
    const changed = changedDeclaration(text(pre), text(post));
    if (changed !== undefined) throw rustBindingsReached(used, source, changed);
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** The command that compiles another file of the source as the unit is compiled. */
function compiling({ unit, compile, ...command }: UnitCommand, source: string): UnitCommand {
  const last = compile.at(-1) ?? "";
  const other = { ...unit, path: source, source };
  return {
    ...command,
    ...{ unit: other, units: [other], object: source, objtool: undefined, generated: [] },
    compile: [...compile.slice(0, -1), last.slice(0, last.length - unit.source.length) + source],
  };
}

/** What a file declares behind the preprocessor, an item a line, macros included; without bodies of functions. */
function declarations(command: UnitCommand): Product {
  const compile = preprocessOnly(command, "-P", "-dD");
  return {
    compile,
    key: [command.unit.path, ...compile, "declarations"],
    finish: async (path) => Buffer.from(declaredItems(await readFile(path, "latin1")).join("\n"), "latin1"),
  };
}

/** @param preprocessed with definitions of macros in it; what cannot be taken apart counts line by line */
export function declaredItems(preprocessed: string): string[] {
  const items = readTopLevel(preprocessed)?.flatMap(({ head, directives }) => [...directives, head]) ?? preprocessed.split("\n");
  // Numbers that the preprocessor counts up.
  return items
    .map((item) =>
      item
        .replaceAll(/\s+/g, " ")
        .replaceAll(/\b(__UNIQUE_ID_\w*?)\d+\b/g, "$1")
        .trim(),
    )
    .filter((item) => item !== "");
}

/**
 * @param pre items a line
 * @returns the first that is not there with the change, or a macro that gets another meaning; what is new means nothing to code that does not name it
 */
export function changedDeclaration(pre: string, post: string): string | undefined {
  const before = new Set(pre.split("\n"));
  const after = new Set(post.split("\n"));
  const gone = [...before].find((item) => !after.has(item));
  if (gone !== undefined) return gone;
  const macros = new Set([...before].flatMap((item) => macroOf(item) ?? []));
  return [...after].find((item) => !before.has(item) && macros.has(macroOf(item) ?? ""));
}

function macroOf(item: string): string | undefined {
  return /^# ?(?:define|undef) (\w+)/.exec(item)?.[1];
}
