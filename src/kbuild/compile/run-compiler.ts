import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Refusal } from "../../diagnostics.js";
import { isFile, readTextIfThere } from "../../host/files.js";
import { makeKernel, withBuildLock } from "../make.js";
import { redirectCommand } from "./redirect-command.js";
import { compilerEnded, doesNotCompile } from "./refusals.js";
import { runTool } from "../../host/run-tool.js";
import { parseDependencyRule } from "./saved-command.js";
import type { PreparedBuild } from "../types.js";
import type { UnitCommand } from "./unit-command.js";

/** What is made of a unit: an object that can be compared, the description of its types, its text. */
export interface Product {
  readonly compile: readonly string[];
  /** All that decides about the product besides the files that the compiler reads. */
  readonly key: readonly string[];
  /** Makes the product of the file that the compiler has written to this path. */
  readonly finish: (object: string) => Promise<Uint8Array>;
}

export interface Compilation {
  /** What the compiler had to say instead where it failed. */
  readonly product: Uint8Array | Refusal;
  /** Every file that was read, absolute, as the compiler spelled it: `..` and links are not resolved. Empty where a file was not found. */
  readonly dependencies: readonly string[];
}

/**
 * Compiles a unit of the user's tree. What kbuild generates for it is made first; where a makefile does not say that the unit needs it, once it
 * does not compile.
 */
export async function compileUnpatched(build: PreparedBuild, command: UnitCommand, product: Product): Promise<Compilation> {
  const there = await Promise.all(command.generated.map((path) => isFile(join(build.outDir, path))));
  const isComplete = !there.includes(false);
  if (!isComplete) await makeWithKbuild(build, command);
  const compiled = await compile(build, command, product, build.tree.source, false);
  // Beside the source of an external module nothing is made.
  if (!(compiled.product instanceof Refusal) || !isComplete || build.tree.external !== undefined) return compiled;
  await makeWithKbuild(build, command);
  return await compile(build, command, product, build.tree.source, false);
}

/** Kbuild makes the unit, which takes it seconds, and all that it needs. How that ends the compiler will tell. */
async function makeWithKbuild(build: PreparedBuild, command: UnitCommand): Promise<void> {
  await withBuildLock(build.cacheDir, () => makeKernel({ ...build, source: build.tree.source }, ["-k", command.object]));
}

/** @param sourceRoot top of the user's tree, or of a shadow of it */
export async function compile(
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
    const cwd = command.directory === undefined ? build.outDir : join(sourceRoot, command.directory);
    const result = await runTool(program, args, { cwd, root: build.root });
    // Compilers write the rule after errors too, unless they did not find a file.
    const dependencies = parseDependencyRule((await readTextIfThere(rule)) ?? "").map((path) => resolvePlainly(cwd, path));
    if (result.exitCode === 0) return { product: await product.finish(object), dependencies };
    if (result.exitCode === undefined && !result.notFound) return { product: compilerEnded(command.unit.path), dependencies };
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
