import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Refusal } from "../diagnostics.js";
import { readTextIfThere } from "./files.js";
import { ObjectCache } from "./object-cache.js";
import { redirectCommand } from "./redirect-command.js";
import { doesNotCompile } from "./refusals.js";
import { runTool } from "./run-tool.js";
import { parseDependencyRule } from "./saved-command.js";
import type { PatchedTree, PreparedBuild } from "./types.js";
import type { UnitCommand } from "./unit-command.js";

/** Which source a unit is compiled from: the user's tree (pre), or a shadow with the change (post). */
export interface Variant {
  readonly shadow?: PatchedTree | undefined;
}

/** What is made of a unit: an object that can be compared, or the description of its types. */
export interface Product {
  readonly compile: readonly string[];
  /** All that decides about the product besides the files that the compiler reads. */
  readonly key: readonly string[];
  /** Makes the product of the object that the compiler has written to this path. */
  readonly finish: (object: string) => Promise<Uint8Array>;
}

interface Compilation {
  /** What the compiler had to say instead where it failed. */
  readonly product: Uint8Array | Refusal;
  /** Every file that was read, absolute, as the compiler spelled it: `..` and links are not resolved. Empty where a file was not found. */
  readonly dependencies: readonly string[];
}

/** Compiles a unit, or takes what was made of the same files before. @throws Refusal `does-not-compile` with the compiler's own words */
export async function makeProduct(build: PreparedBuild, command: UnitCommand, variant: Variant, wanted: Product): Promise<Uint8Array> {
  const { shadow } = variant;
  const includes = shadow?.includeDir === undefined ? [] : ["-idirafter", shadow.includeDir];
  const product = { ...wanted, compile: addOptions(wanted.compile, includes), key: [...wanted.key, ...includes] };
  const cache = new ObjectCache(build, shadow);
  const key = await cache.keyOf(product.key, command.sources);
  const cached = await cache.find(key);
  if (cached !== undefined) return cached;
  const compiled =
    shadow === undefined
      ? await compile(build, command, product, build.tree.source, false)
      : await compileInShadow(build, command, product, shadow);
  if (compiled.product instanceof Refusal) throw compiled.product;
  await cache.store(key, compiled.product, compiled.dependencies);
  return compiled.product;
}

async function compileInShadow(
  build: PreparedBuild,
  command: UnitCommand,
  product: Product,
  { shadow }: PatchedTree,
): Promise<Compilation> {
  await shadow.makeReal(dirname(command.unit.source));
  // An include with `..` that starts in a linked directory leads back into the user's tree. Each round makes such directories real. What
  // does not compile may do so with the patched headers.
  for (let round = 0; round < 5; round++) {
    const compiled = await compile(build, command, product, shadow.root, true);
    const astray = await shadow.findAstray(compiled.dependencies);
    if (astray.length === 0) return compiled;
    for (const path of astray) await shadow.makeReal(dirname(path));
  }
  throw new Error(`${command.unit.path} reads unpatched headers through links`);
}

async function compile(
  build: PreparedBuild,
  command: UnitCommand,
  product: Product,
  sourceRoot: string,
  patched: boolean,
): Promise<Compilation> {
  await mkdir(join(build.cacheDir, "tmp"), { recursive: true });
  const directory = await mkdtemp(join(build.cacheDir, "tmp", "unit-"));
  try {
    const object = join(directory, "unit.o");
    const rule = join(directory, "unit.d");
    const [program = build.compiler, ...args] = redirectCommand(product.compile, { from: build.tree.source, to: sourceRoot, object, rule });
    const result = await runTool(program, args, { cwd: build.outDir });
    // Compilers write the rule after errors too, unless they did not find a file.
    const dependencies = parseDependencyRule((await readTextIfThere(rule)) ?? "").map((path) => resolvePlainly(build.outDir, path));
    if (result.exitCode === 0) return { product: await product.finish(object), dependencies };
    const words = result.stderr.replaceAll(`${sourceRoot}/`, "").trimEnd();
    return { product: doesNotCompile(command.unit.path, patched, words), dependencies };
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
