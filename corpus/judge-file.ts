import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EXIT_NO_CHANGE, Refusal } from "../src/diagnostics.js";
import { unifiedDiff } from "../src/kbuild/diff-texts.js";
import type { IncludeGraph } from "../src/kbuild/include-graph.js";
import { findUnits } from "../src/kbuild/find-units.js";
import { shadowWithPatch } from "../src/kbuild/patch-tree.js";
import type { PreparedBuild } from "../src/kbuild/types.js";
import { findUnitCommands } from "../src/kbuild/unit-command.js";
import { findUnitSources } from "../src/kbuild/unit-sources.js";
import type { LiveKernel } from "../src/kernel/live-kernel.js";
import { packageRoot } from "../src/package-root.js";
import { checkLayouts } from "../src/update/check-layouts.js";
import { createUpdate } from "../src/update/create-from-tree.js";
import type { UnitDiff } from "../src/update/create-update.js";
import { fitUpdate } from "../src/update/fit-update.js";
import { UnitTypes } from "../src/update/unit-types.js";
import type { Update } from "../src/update/update-file.js";
import type { CompanionFinder } from "./companions.js";
import { compileAll } from "./compile-all.js";
import { describeDiffs } from "./describe-diff.js";
import { INCOMPLETE } from "./summary.js";
import type { CorpusSet, FileResult, Verdict } from "./types.js";

export interface JudgeContext {
  readonly set: CorpusSet;
  readonly build: PreparedBuild;
  readonly cacheDir: string;
  readonly companions: CompanionFinder;
  readonly includeGraph: () => Promise<IncludeGraph>;
  /** The kernel of the set as it ran, with every module that is judged. */
  readonly kernel: LiveKernel;
}

/** How often more files are added to a patch that is not complete, and how many it may have at the end. */
const MOST_ROUNDS = 8;
const MOST_FILES = 16;
/** A header that comes into more objects than this makes the set take hours. */
const MOST_UNITS = 200;

/** Refusals that mean: nothing of this configuration is made from the file. */
const NOT_BUILT: ReadonlySet<string> = new Set(["not-in-config", "nothing-to-compile"]);

/** Refusals of the running kernel's code, not of the patch. */
const NOT_REDIRECTABLE: ReadonlySet<string> = new Set(["no-trampoline-site"]);

type Judge = (verdict: Verdict, reason: string, more?: Partial<FileResult>) => Attempt;

/** What one try at a patch came to: a verdict, or what else it needs. */
type Attempt = { readonly kind: "judged"; readonly result: FileResult } | { readonly kind: "incomplete"; readonly refusals: Refusals };

/** Why a patch of several files is not complete: one for each unit that does not compile. */
type Refusals = readonly [Refusal, ...Refusal[]];

/** Makes an update of what the release changes in one file, and matches it. Files that do not stand alone get what they need besides. */
export async function judgeFile(context: JudgeContext, file: string): Promise<FileResult> {
  const taken = new Set([file]);
  try {
    return await judgeWithMore(context, file, taken);
  } catch (error) {
    return {
      ...emptyResult(file, [...taken]),
      verdict: "failed",
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}

async function judgeWithMore(context: JudgeContext, file: string, taken: Set<string>): Promise<FileResult> {
  const { build, companions } = context;
  const sourcesOf = async (unit: string): Promise<readonly string[]> => {
    const command = (await findUnitCommands(build, [unit])).get(unit);
    return command === undefined ? [] : ((await findUnitSources(build, command)) ?? []);
  };
  for (let round = 0; ; round++) {
    const files = [...taken];
    const early = files.length === 1 ? [] : await tryToCompile(context, files);
    const attempt: Attempt = isRefused(early) ? { kind: "incomplete", refusals: early } : await tryFiles(context, file, files);
    if (attempt.kind === "judged") return stayingIfRefused(attempt.result);
    const more = round < MOST_ROUNDS ? await companions.neededFor(attempt.refusals, sourcesOf, taken) : [];
    if (more.length === 0 || taken.size + more.length > MOST_FILES) return notAlone(file, files, attempt.refusals[0]);
    for (const path of more) taken.add(path);
  }
}

/** A file that needs others of the release, and is refused together with them, stays one that does not stand alone: the refusal is of all of them. */
function stayingIfRefused(result: FileResult): FileResult {
  return result.verdict === "refused" && result.companions.length > 0 ? { ...result, verdict: "not alone" } : result;
}

function notAlone(file: string, files: readonly string[], { code, message }: Refusal): FileResult {
  return { ...emptyResult(file, files), verdict: "not alone", code, reason: message };
}

function emptyResult(file: string, files: readonly string[]): FileResult {
  return {
    file,
    verdict: "failed",
    reason: "",
    companions: files.filter((path) => path !== file),
    changed: [],
    added: [],
    removed: [],
    data: [],
    notes: [],
    milliseconds: { create: 0, match: 0 },
  };
}

/**
 * Finds out cheaply whether a patch of several files is complete, and has types that fit. The patched sources come first: what is refused for
 * them need not be compiled into all that includes the headers. Then come those, since all that do not compile can be mended at once.
 * @returns why it is refused; one refusal for each unit that does not compile
 */
async function tryToCompile({ set, build, cacheDir, includeGraph }: JudgeContext, files: readonly string[]): Promise<Refusal[]> {
  const patched = await shadowWithPatch(build.tree, { patch: await patchOf(set, files) });
  try {
    const objects = files.filter((file) => file.endsWith(".c")).map((file) => file.replace(/\.c$/, ".o"));
    const own = [...(await findUnitCommands(build, objects)).values()].flatMap(({ units }) => units);
    const broken = await compileAll(build, own, patched, MOST_FILES);
    if (broken.length > 0) return broken;
    const kernel = { configDir: build.tree.configDir, release: build.release, cacheDir };
    const types = new UnitTypes(build, patched, false);
    await checkLayouts({ units: own, types, patched, kernel, jobs: 1, allowed: [], warn: () => undefined });
    const all = await findUnits(build, patched.touched, { patchedRoot: patched.root, mostUnits: MOST_UNITS, includeGraph });
    return await compileAll(build, all, patched, MOST_FILES);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // Of all else the whole try says more.
    return isIncomplete(error) || error.code === "changed-layout" ? [error] : [];
  } finally {
    await patched.dispose();
  }
}

function isRefused(refusals: readonly Refusal[]): refusals is Refusals {
  return refusals.length > 0;
}

async function tryFiles(context: JudgeContext, file: string, files: readonly string[]): Promise<Attempt> {
  let diffs: readonly UnitDiff[] = [];
  const notes: string[] = [];
  const started = performance.now();
  let created = started;
  const judged: Judge = (verdict, reason, more = {}) => {
    const ended = performance.now();
    const milliseconds = {
      create: Math.round((created === started ? ended : created) - started),
      match: created === started ? 0 : Math.round(ended - created),
    };
    return {
      kind: "judged",
      result: { ...emptyResult(file, files), ...describeDiffs(diffs), verdict, reason, notes, milliseconds, ...more },
    };
  };
  try {
    const update = await createUpdate({
      source: context.set.fromTree,
      change: { patch: await patchOf(context.set, files) },
      id: "corpus",
      description: file,
      created: new Date(0),
      jobs: 1,
      kmodDir: join(packageRoot(), "kmod"),
      cacheDir: context.cacheDir,
      mostUnits: MOST_UNITS,
      includeGraph: context.includeGraph,
      inspect: (found) => {
        diffs = found;
      },
      progress: () => undefined,
      warn: (message) => notes.push(message),
    });
    created = performance.now();
    return fitCreated(update, context, judged);
  } catch (error) {
    if (!(error instanceof Refusal)) return judged("failed", error instanceof Error ? (error.stack ?? error.message) : String(error));
    if (isIncomplete(error)) return { kind: "incomplete", refusals: [error] };
    return judged(verdictOf(error), error.message, { code: error.code, refused: error.items });
  }
}

/** Matches a new update with the kernel of the set, and finds out whether it could be applied. */
function fitCreated(update: Update, { kernel }: JudgeContext, judged: Judge): Attempt {
  const { match, refusal } = fitUpdate(update, kernel, { partial: false, log: () => undefined });
  const matched = match.kind === "matched" ? { matched: match.matching.functions } : {};
  if (refusal === undefined) return judged("update", "", matched);
  if (isIncomplete(refusal)) return { kind: "incomplete", refusals: [refusal] };
  const verdict = NOT_REDIRECTABLE.has(refusal.code) ? "refused" : "failed";
  return judged(verdict, refusal.message, { ...matched, code: refusal.code, refused: refusal.items });
}

/** Refusals that more of the release may mend. */
function isIncomplete({ code }: Refusal): boolean {
  return INCOMPLETE.has(code);
}

function verdictOf({ code, exitCode, items }: Refusal): Verdict {
  if (NOT_BUILT.has(code)) return "not built";
  if (exitCode === EXIT_NO_CHANGE || (items.length > 0 && items.every((item) => item.code === "init-only"))) return "no effect";
  return "refused";
}

async function patchOf({ fromTree, toTree }: CorpusSet, files: readonly string[]): Promise<string> {
  const read = async (tree: string, file: string): Promise<string | undefined> =>
    await readFile(join(tree, file), "latin1").catch(() => undefined);
  const patches = await Promise.all(files.map(async (file) => unifiedDiff(file, await read(fromTree, file), await read(toTree, file))));
  return patches.join("");
}
