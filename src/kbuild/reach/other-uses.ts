import { KERNEL_ARCHITECTURE } from "../../arch/architectures.js";
import { readFile } from "node:fs/promises";
import type { Tell } from "../../events.js";
import { mapLimited } from "../../host/map-limited.js";
import { hashOf } from "../../host/files.js";
import { SHF_ALLOC } from "../../elf/constants.js";
import { homeSection, type ElfSymbol } from "../../elf/model.js";
import { parseObject } from "../../elf/parse-object.js";
import { requireProgram } from "../../host/refusals.js";
import { runTool } from "../../host/run-tool.js";
import type { IncludeGraph } from "./include-graph.js";
import { isGeneratedAlike } from "./generated-file.js";
import { makeProduct } from "../compile/make-product.js";
import { preprocessedText } from "../compile/preprocessed.js";
import { assemblyReached, type Effect, generatedHeaderReached, imageReached, linkerScriptReached, startCodeReached } from "./refusals.js";
import type { Refusal } from "../../diagnostics.js";
import type { Product } from "../compile/run-compiler.js";
import type { PreparedBuild } from "../types.js";
import type { PatchedTree } from "../change/patched-tree.js";
import { commandOf, type UnitCommand } from "../compile/unit-command.js";
import type { IndexedObject, UnitIndex } from "../compile/unit-index.js";
import { findUnitSources } from "../compile/unit-sources.js";

const { directory, startImages, startCode } = KERNEL_ARCHITECTURE.source;
/** Code that has run when the kernel was started, and is gone: what becomes of it does not matter to a running kernel. */
const PAST = ["drivers/firmware/efi/libstub/", ...startImages.map((image) => `${directory}/${image}/`)];

/** Of this only what is in initialization sections. */
const PAST_IN_PART = startCode.map((folder) => `${directory}/${folder}/`);
const isStartCode = ({ path }: IndexedObject): boolean => PAST_IN_PART.some((folder) => path.startsWith(folder));

/** What modpost and genksyms write is for modules that are built later, signatures are for the loader, the first file system is used up: nothing that runs has it. */
const NOT_OURS = /^(?:scripts\/(?:mod|basic|genksyms)\/|scripts\/sign-file$|tools\/|usr\/)/;

/** True if kbuild makes something of a file that goes into the kernel or a module, or that their sources are made with. */
export function isListed(index: UnitIndex, file: string): boolean {
  const isMadeOf = ({ path, source, sources }: IndexedObject): boolean =>
    !NOT_OURS.test(path) && (source === file || sources.includes(file));
  return index.madeOf(file).length > 0 || index.others.some(isMadeOf);
}

/**
 * Touched files come into more than units: assembly, images of their own, linker scripts, and what kbuild generates headers with. Of each the outcome is made
 * before and after the change, and it must be the same.
 * @param files touched C files and headers
 * @throws Refusal `assembly`, `not-kernel-text`, `linker-script` or `generated-header` where it is not
 */
export async function refuseOtherUses(
  build: PreparedBuild,
  index: UnitIndex,
  patched: PatchedTree,
  files: readonly string[],
  graph: IncludeGraph | undefined,
  tell: Tell,
): Promise<void> {
  const included = (await graph?.includersOf(files)) ?? new Set<string>();
  const mayUse = ({ kind, path, source, sources }: IndexedObject): boolean =>
    !NOT_OURS.test(path) &&
    (sources.some((file) => files.includes(file)) || (kind !== "generated" && (files.includes(source) || included.has(source))));
  const candidates = [...index.others, ...index.objects.filter(({ kind }) => kind === "assembly")].filter(mayUse);
  if (candidates.length > 0) tell("stage", `looking at ${candidates.length} files besides C objects that the change may come into`);
  const refusals = await mapLimited(candidates, build.jobs, async (entry) => {
    const { used, isRead } = await findChange(build, index, entry, patched, files);
    if (used.length === 0) return undefined;
    if (isStartCode(entry) && (await findChange(build, index, entry, patched, files, whatStays)).used.length > 0)
      return startCodeReached(used, entry.path);
    if (!PAST.some((folder) => entry.path.startsWith(folder))) return refusalOf(entry, used, isRead ? "is-another" : "unread");
    tell("note", `${used.join(", ")} also comes into ${entry.path}, which the kernel has left behind when it runs: that stays as it is`);
    return undefined;
  });
  for (const refusal of refusals) if (refusal !== undefined) throw refusal;
}

/** Of one object. */
interface Use {
  /** The touched files that make another thing of it; none where it stays the same. */
  readonly used: readonly string[];
  /** False where the compiler does not get through it as it is, and only the text told. */
  readonly isRead: boolean;
}

async function findChange(
  build: PreparedBuild,
  index: UnitIndex,
  entry: IndexedObject,
  patched: PatchedTree,
  files: readonly string[],
  ofObject = hashWithoutDebug,
): Promise<Use> {
  const told = files.filter((file) => entry.sources.includes(file) || entry.source === file);
  if (entry.kind === "generated") return { used: (await isGeneratedAlike(build, index, entry, patched)) ? [] : told, isRead: true };
  const command = await commandOf(index, entry);
  const read = await findUnitSources(build, command);
  // What the compiler does not get through is left to what the text says.
  if (read === undefined) return { used: told.length > 0 ? told : files, isRead: false };
  const used = files.filter((file) => read.includes(file));
  if (used.length === 0) return { used, isRead: true };
  const product = outcomeOf(build, entry, command, ofObject);
  const pre = await makeProduct(build, command, {}, product);
  const post = await makeProduct(build, command, { shadow: patched }, product);
  return { used: Buffer.compare(pre, post) === 0 ? [] : used, isRead: true };
}

/** What counts of an object. */
function outcomeOf(build: PreparedBuild, { kind }: IndexedObject, command: UnitCommand, ofObject: typeof hashWithoutDebug): Product {
  const { compile, unit } = command;
  if (kind === "linker-script") return preprocessedText(command);
  const finish = (path: string): Promise<Uint8Array> => ofObject(build, path);
  if (kind === "host-program") {
    // Of the same machine code, whatever it generates is the same.
    const object = objectOnly(compile);
    return { compile: object, key: [unit.path, ...object, "program"], finish };
  }
  if (kind !== "offsets")
    return {
      compile,
      key: [unit.path, ...compile, ofObject === whatStays ? "what stays of it" : "image without debug information"],
      finish,
    };
  return {
    compile,
    key: [unit.path, ...compile, "offsets"],
    // Lines of which sed makes a header (sed-offsets in scripts/Makefile.lib, Linux 6.1).
    finish: async (path) => {
      const lines = (await readFile(path, "latin1")).split("\n");
      return Buffer.from(hashOf(lines.filter((line) => line.includes("->"))));
    },
  };
}

/** Programs of one file are linked by the command that compiles them. */
function objectOnly([program = "", ...words]: readonly string[]): string[] {
  return [program, "-c", ...words.filter((word) => word !== "-c" && !/^-(?:l|L|Wl,)/.test(word))];
}

/** Debug information names the tree that was compiled, which is another one with the change, and its lines. */
async function hashWithoutDebug({ root }: PreparedBuild, path: string): Promise<Uint8Array> {
  const { notFound, exitCode, stderr } = await runTool("objcopy", ["--strip-debug", path], { root });
  if (notFound) throw requireProgram("objcopy", "binutils");
  if (exitCode !== 0) throw new Error(`objcopy cannot strip ${path}: ${stderr.trim()}`);
  return Buffer.from(hashOf([await readFile(path)]));
}

/** Code, data and what is done to code when the kernel starts, but for what initialization sections hold. */
async function whatStays(_build: PreparedBuild, path: string): Promise<Uint8Array> {
  const { sections } = parseObject(await readFile(path), path);
  const staying = sections.filter(
    ({ name, flags }) => (flags & SHF_ALLOC) !== 0 && !/^\.init\.|^\.(?:orc|smp_locks|\w+_sites|ibt_endbr_seal|note)/.test(name),
  );
  const parts = staying.flatMap(({ name, size, data, relocations }) => [
    `${name} ${String(size)} ${Buffer.from(data).toString("latin1")}`,
    ...relocations.map(({ offset, type, symbol, addend }) => `${String(offset)} ${type.name} ${nameOf(symbol)} ${String(addend)}`),
  ]);
  return Buffer.from(hashOf([parts.join("\n")]));
}

/** A section's own symbol has none. */
function nameOf(symbol: ElfSymbol): string {
  return symbol.name === "" ? (homeSection(symbol)?.name ?? "") : symbol.name;
}

function refusalOf({ kind, path, source, targets }: IndexedObject, used: readonly string[], effect: Effect): Refusal {
  switch (kind) {
    case "c":
      return imageReached(used, path, effect);
    case "assembly":
      return targets.length > 0 ? assemblyReached(used, source, effect) : imageReached(used, path, effect);
    case "linker-script":
      return linkerScriptReached(used, source, effect);
    case "offsets":
    case "host-program":
      return generatedHeaderReached(used, source);
    case "generated":
      return generatedHeaderReached(used, path);
  }
}
