import { dirname, relative } from "node:path";
import { Refusal } from "../../diagnostics.js";
import { ObjectCache } from "./object-cache.js";
import { compile, compileUnpatched, type Compilation, type Product } from "./run-compiler.js";
import type { PreparedBuild } from "../types.js";
import type { PatchedTree } from "../change/patched-tree.js";
import type { UnitCommand } from "./unit-command.js";
import { findUnitSources } from "./unit-sources.js";

/** Which source a unit is compiled from: the user's tree (pre), or a shadow with the change (post). */
export interface Variant {
  readonly shadow?: PatchedTree | undefined;
}

/** Compiles a unit, or takes what was made of the same files before. @throws Refusal `does-not-compile` with the compiler's own words */
export async function makeProduct(build: PreparedBuild, command: UnitCommand, variant: Variant, wanted: Product): Promise<Uint8Array> {
  const { shadow } = variant;
  const includes = shadow?.includeDir === undefined ? [] : ["-idirafter", shadow.includeDir];
  const product = { ...wanted, compile: addOptions(wanted.compile, includes), key: [...wanted.key, ...includes] };
  const cache = new ObjectCache(build, shadow);
  const key = await cache.keyOf(product.key, shadow === undefined ? [] : await findUnitSources(build, command));
  const cached = await cache.find(key);
  if (cached !== undefined) return cached;
  const compiled =
    shadow === undefined ? await compileUnpatched(build, command, product) : await compileInShadow(build, command, product, shadow);
  if (compiled.product instanceof Refusal) throw compiled.product;
  await cache.store(key, compiled.product, compiled.dependencies);
  return compiled.product;
}

/** Each makes a directory real, or waits for others that do: there are not as many on the way of one unit. */
const MOST_ROUNDS = 100;

async function compileInShadow(
  build: PreparedBuild,
  command: UnitCommand,
  product: Product,
  { shadow }: PatchedTree,
): Promise<Compilation> {
  await shadow.makeReal(dirname(command.unit.source));
  for (const path of pathsThatLeave(product.compile, build.tree.source)) await shadow.makeReal(path);
  // An include with `..` that starts in a linked directory leads back into the user's tree. Each round makes such directories real. What
  // does not compile may do so with the patched headers; of a header that the patch removes, each directory on the compiler's way may lead to the old one.
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const { version } = shadow;
    const compiled = await compile(build, command, product, shadow.root, true);
    const astray = await shadow.findAstray(compiled.dependencies);
    // Another unit's round may have made a directory real while this one was compiled: nobody knows on which side of it a file was read.
    const isSure =
      shadow.version === version || !(compiled.product instanceof Refusal || shadow.namedLikeTouched(compiled.dependencies).length > 0);
    if (!isSure) continue;
    if (astray.length === 0) return compiled;
    for (const path of astray) await shadow.makeReal(dirname(path));
  }
  throw new Error(`${command.unit.path} reads unpatched headers through links`);
}

/** Directories that the command itself leaves by `..`: `-I/src/drivers/gpu/drm/amd/amdgpu/../display`, and the unit's source. */
function pathsThatLeave(compile: readonly string[], top: string): Set<string> {
  const paths = new Set<string>();
  for (const word of compile) {
    const at = word.indexOf(`${top}/`);
    const end = at < 0 ? -1 : word.indexOf("/..", at);
    if (end >= 0) paths.add(relative(top, word.slice(at, end)));
  }
  return paths;
}

/** The source file stays the last word. */
function addOptions(compile: readonly string[], options: readonly string[]): string[] {
  return [...compile.slice(0, -1), ...options, ...compile.slice(-1)];
}
