import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ObjectCache } from "./object-cache.js";
import { findObjtoolCommand, runObjtool } from "./objtool.js";
import { doesNotCompile } from "./refusals.js";
import { runTool } from "./run-tool.js";
import { parseDependencyRule } from "./saved-command.js";
import type { ShadowTree } from "./shadow-tree.js";
import type { CompiledUnit, PatchedTree, PreparedBuild, Unit } from "./types.js";
import { requireUnitCommand, type UnitCommand } from "./unit-command.js";

/** Which source a unit is compiled from: the user's tree (pre), or a shadow with the change (post). */
export interface Variant {
  readonly shadow?: PatchedTree | undefined;
  /** A directory that is searched for headers last, after the kernel's own. */
  readonly includeDir?: string | undefined;
}

/**
 * Compiles one unit as kbuild does, by kbuild's own command, with a section for each function and datum and without debug info.
 * Pre objects come from the cache where no file that they depend on has changed.
 * @throws Refusal `does-not-compile` with the compiler's own words
 */
export async function compileUnit(build: PreparedBuild, unit: Unit, variant: Variant = {}): Promise<CompiledUnit> {
  const command = await requireUnitCommand(build, unit);
  const objtool = await findObjtoolCommand(build, command);
  if (variant.shadow !== undefined) {
    const includes = variant.includeDir === undefined ? [] : ["-idirafter", variant.includeDir];
    const compiled = await compileInShadow(
      build,
      { ...command, compile: addOptions(command.compile, includes) },
      objtool,
      variant.shadow.shadow,
    );
    return { unit, object: compiled.object };
  }

  const cache = new ObjectCache(build);
  const key = cache.keyOf(command, objtool);
  const cached = await cache.find(key);
  if (cached !== undefined) return { unit, object: cached };
  const compiled = await compile(build, command, objtool, build.tree.source, false);
  await cache.store(key, compiled);
  return { unit, object: compiled.object };
}

export interface Compilation {
  readonly object: Uint8Array;
  /** Every file that was read, absolute, as the compiler spelled it: `..` and links are not resolved. */
  readonly dependencies: readonly string[];
}

async function compileInShadow(
  build: PreparedBuild,
  command: UnitCommand,
  objtool: readonly string[] | undefined,
  shadow: ShadowTree,
): Promise<Compilation> {
  await shadow.makeReal(dirname(command.unit.source));
  // An include with `..` that starts in a linked directory leads back into the user's tree. Each round makes such directories real.
  for (let round = 0; round < 5; round++) {
    const compiled = await compile(build, command, objtool, shadow.root, true);
    const astray = await shadow.findAstray(compiled.dependencies);
    if (astray.length === 0) return compiled;
    for (const path of astray) await shadow.makeReal(dirname(path));
  }
  throw new Error(`${command.unit.path} reads unpatched headers through links`);
}

async function compile(
  build: PreparedBuild,
  command: UnitCommand,
  objtool: readonly string[] | undefined,
  sourceRoot: string,
  patched: boolean,
): Promise<Compilation> {
  await mkdir(join(build.cacheDir, "tmp"), { recursive: true });
  const directory = await mkdtemp(join(build.cacheDir, "tmp", "unit-"));
  try {
    const object = join(directory, "unit.o");
    const rule = join(directory, "unit.d");
    const [program = build.compiler, ...args] = redirectCommand(command.compile, { from: build.tree.source, to: sourceRoot, object, rule });
    const result = await runTool(program, args, { cwd: build.outDir });
    if (result.exitCode !== 0) throw doesNotCompile(command.unit.path, patched, result.stderr.replaceAll(`${sourceRoot}/`, "").trimEnd());
    if (objtool !== undefined) await runObjtool(build, objtool, object, command.unit.path);
    const dependencies = parseDependencyRule(await readFile(rule, "utf8")).map((path) => resolvePlainly(build.outDir, path));
    return { object: await readFile(object), dependencies };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Makes a path absolute and leaves `..` in it alone: behind a link it does not cancel the name before it. */
function resolvePlainly(base: string, path: string): string {
  return path.startsWith("/") ? path : resolve(base) + "/" + path;
}

/** The source file stays the last word. */
function addOptions(compile: readonly string[], options: readonly string[]): string[] {
  return [...compile.slice(0, -1), ...options, ...compile.slice(-1)];
}

/** The same compilation with other places: source tree, object, dependency rule. */
export function redirectCommand(
  compile: readonly string[],
  places: { readonly from: string; readonly to: string; readonly object: string; readonly rule: string },
): string[] {
  const words: string[] = [];
  for (let index = 0; index < compile.length; index++) {
    const word = compile[index] ?? "";
    if (word === "-o") index++;
    else if (!/^-Wp,-MM?D,/.test(word)) words.push(moveWord(word, places.from, places.to));
  }
  return [...words, `-Wp,-MMD,${places.rule}`, "-o", places.object];
}

/** Moves a word that is or holds a path below `from`: `-I/src/include`, `/src/net/ipv4/raw.c`, `-fmacro-prefix-map=/src/=`. */
function moveWord(word: string, from: string, to: string): string {
  const at = word.indexOf(from);
  if (at < 0) return word;
  const before = word.charAt(at - 1);
  const after = word.charAt(at + from.length);
  const isPath = (at === 0 || /[=,I]/.test(before) || word.startsWith("-i")) && (after === "" || after === "/" || after === "=");
  return isPath ? word.slice(0, at) + to + word.slice(at + from.length) : word;
}
