import { tellNobody, type Tell } from "../src/events.js";
import { join } from "node:path";
import { EXIT_NO_CHANGE, Refusal } from "../src/diagnostics.js";
import type { IncludeGraph } from "../src/kbuild/reach/include-graph.js";
import type { PreparedBuild } from "../src/kbuild/types.js";
import { findUnitCommands, unitsOf } from "../src/kbuild/compile/unit-command.js";
import { findUnitSources } from "../src/kbuild/compile/unit-sources.js";
import type { LiveKernel } from "../src/kernel/live/live-kernel.js";
import { packageRoot } from "../src/host/package-root.js";
import { LEAVE_CALLBACKS } from "../src/update/create/callbacks/verdict.js";
import { checkLayouts, Layouts } from "../src/update/create/check-layouts.js";
import { chooseUnits } from "../src/update/create/choose-units.js";
import { typesOf, updateOf, type CreateRequest } from "../src/update/create/create-update.js";
import { diffUnits } from "../src/update/create/diff-units.js";
import { withPatchedSource, type PatchedSource } from "../src/update/create/patched-source.js";
import type { UnitDiff } from "../src/update/units/unit-diff.js";
import { fitUpdate } from "../src/update/fit/fit-update.js";
import type { Update } from "../src/update/file/update-file.js";
import { compileAll } from "./compile-all.js";
import { describeDiffs } from "./describe-diff.js";
import type { Fix } from "./fixes/connect-pieces.js";
import { patchOfPieces } from "./fixes/fix-patch.js";
import type { FilePair } from "./fixes/split-pieces.js";
import type { NeighbourFinder } from "./neighbours.js";
import type { CorpusSet, FixResult, Verdict } from "./types.js";

export interface JudgeContext {
  readonly set: CorpusSet;
  readonly build: PreparedBuild;
  readonly cacheDir: string;
  /** Files that differ, by path. */
  readonly files: ReadonlyMap<string, FilePair>;
  readonly neighbours: NeighbourFinder;
  readonly includeGraph: () => Promise<IncludeGraph>;
  /** More source files than this are not compiled for one header; undefined for what the program itself holds right. */
  readonly mostUnits: number | undefined;
}

/** A fix for which an update was made, or what kept it from that. `taken` has the fix and those that it needs. */
export interface CreatedFix {
  readonly result: FixResult;
  readonly taken: readonly Fix[];
  readonly update: Update | undefined;
}

/** How often other fixes are added to a patch that is not complete, how many there may be, and units that do not compile. */
const MOST_ROUNDS = 8;
const MOST_FIXES = 16;
const MOST_BROKEN = 16;

/** Refusals of a patch that more of the release may mend. */
const INCOMPLETE: ReadonlySet<string> = new Set(["does-not-compile", "unresolved-symbol"]);

/** Refusals that mean: nothing of this configuration is made from the files. */
const NOT_BUILT: ReadonlySet<string> = new Set(["not-in-config", "nothing-to-compile"]);

/** Refusals that only the running kernel gives reason for; any other that comes so late is a bug of ours. */
const REFUSED_BY_KERNEL: ReadonlySet<string> = new Set([
  "no-trampoline-site",
  "still-referred",
  "name-taken",
  "freed-memory",
  "sealed-function",
]);

/** Makes an update of a fix. One that does not stand alone gets the other fixes that it needs besides. */
export async function createFix(context: JudgeContext, fix: Fix): Promise<CreatedFix> {
  return await createWithMore(context, fix, new Set([fix]), 0);
}

/**
 * Matches a fix's update with the kernel of the set, and finds out whether it could be applied. What only turns out there to be missing is added, and
 * the update made anew.
 */
export async function matchFix(context: JudgeContext, fix: Fix, created: CreatedFix, kernel: LiveKernel): Promise<CreatedFix> {
  let current = created;
  for (let round = 0; current.update !== undefined; round++) {
    const started = performance.now();
    const { match, refusal } = fitUpdate(current.update, kernel, { partial: false, tell: tellNobody });
    const milliseconds = { ...current.result.milliseconds, match: Math.round(performance.now() - started) };
    const matched = match.kind === "matched" ? { matched: match.matching.functions } : {};
    const result: FixResult = { ...current.result, ...matched, milliseconds };
    if (refusal === undefined) return { ...current, result };
    if (INCOMPLETE.has(refusal.code) && round < MOST_ROUNDS) {
      const more = await context.neighbours.neededFor([refusal], sourcesOf(context), new Set(current.taken));
      if (more.length > 0) {
        current = await createWithMore(context, fix, new Set([...current.taken, ...more]), round + 1);
        continue;
      }
    }
    const verdict = INCOMPLETE.has(refusal.code) ? "not alone" : REFUSED_BY_KERNEL.has(refusal.code) ? "refused" : "failed";
    return {
      ...current,
      update: undefined,
      result: { ...result, verdict, code: refusal.code, reason: refusal.message, refused: refusal.items },
    };
  }
  return current;
}

async function createWithMore(context: JudgeContext, fix: Fix, taken: Set<Fix>, firstRound: number): Promise<CreatedFix> {
  try {
    for (let round = firstRound; ; round++) {
      const attempt = await tryToCreate(context, fix, [...taken]);
      if (!Array.isArray(attempt)) return attempt;
      const more = round < MOST_ROUNDS ? await context.neighbours.neededFor(attempt, sourcesOf(context), taken) : [];
      const [first] = attempt;
      if (more.length === 0 || taken.size + more.length > MOST_FIXES)
        return ended(fix, taken, "not alone", first?.message ?? "", first?.code);
      for (const other of more) taken.add(other);
    }
  } catch (error) {
    if (error instanceof Refusal) return ended(fix, taken, verdictOf(error), error.message, error.code, { refused: error.items });
    return ended(fix, taken, "failed", wordsOf(error));
  }
}

function sourcesOf({ build }: JudgeContext): (unit: string) => Promise<readonly string[]> {
  return async (unit) => {
    const command = (await findUnitCommands(build, [unit])).get(unit);
    return command === undefined ? [] : ((await findUnitSources(build, command)) ?? []);
  };
}

function ended(
  fix: Fix,
  taken: Iterable<Fix>,
  verdict: Verdict,
  reason: string,
  code?: string,
  more: Partial<FixResult> = {},
  update?: Update,
): CreatedFix {
  const result: FixResult = {
    fix: fix.name,
    files: [...new Set(fix.pieces.map(({ path }) => path))],
    pieces: fix.pieces.length,
    verdict,
    ...(code === undefined ? {} : { code }),
    reason,
    companions: [...taken].filter((other) => other !== fix).map(({ name }) => name),
    changed: [],
    added: [],
    removed: [],
    data: [],
    notes: [],
    milliseconds: { create: 0, match: 0 },
    ...more,
  };
  return { result, taken: [...taken], update };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The patch of some fixes. */
export async function patchOfFixes(context: Pick<JudgeContext, "files">, fixes: readonly Fix[]): Promise<string> {
  return await patchOfPieces(
    context.files,
    fixes.flatMap(({ pieces }) => pieces),
  );
}

/** @returns what an incomplete patch is refused for; else what became of it */
async function tryToCreate(context: JudgeContext, fix: Fix, taken: readonly Fix[]): Promise<CreatedFix | Refusal[]> {
  let diffs: readonly UnitDiff[] = [];
  const notes: string[] = [];
  const started = performance.now();
  const more = (): Partial<FixResult> => ({
    ...describeDiffs(diffs),
    notes,
    milliseconds: { create: Math.round(performance.now() - started), match: 0 },
  });
  try {
    const request = await requestOf(context, fix, taken, (kind, message) => {
      if (kind === "note") notes.push(message);
    });
    return await withPatchedSource(request, async (source) => {
      const files = [...new Set(taken.flatMap(({ pieces }) => pieces.map(({ path }) => path)))];
      const early = files.length < 2 ? [] : await findBroken(source, files, request);
      if (early.length > 0) return early;
      const chosen = await chooseUnits(source, request);
      // All that do not compile can be mended at once.
      const broken = files.length < 2 ? [] : await compileAll(source.build, chosen.units, source.patched, MOST_BROKEN);
      if (broken.length > 0) return broken;
      const types = typesOf(source, chosen, request.jobs);
      diffs = await diffUnits(source, chosen.units, types, request);
      const update = await updateOf({ source, chosen, types, diffs }, request);
      return ended(fix, taken, "update", "", undefined, more(), update);
    });
  } catch (error) {
    if (!(error instanceof Refusal)) return ended(fix, taken, "failed", wordsOf(error), undefined, more());
    if (INCOMPLETE.has(error.code)) return [error];
    return ended(fix, taken, verdictOf(error), error.message, error.code, { ...more(), refused: error.items });
  }
}

async function requestOf(
  { set, files, cacheDir, mostUnits, includeGraph }: JudgeContext,
  fix: Fix,
  taken: readonly Fix[],
  tell: Tell,
): Promise<CreateRequest> {
  return {
    source: set.fromTree,
    change: { patch: await patchOfFixes({ files }, taken) },
    id: "corpus",
    description: fix.name,
    created: new Date(0),
    jobs: 1,
    kmodDir: join(packageRoot(), "kmod"),
    cacheDir,
    ...(mostUnits === undefined ? {} : { mostUnits }),
    includeGraph,
    tell,
  };
}

/**
 * Finds out cheaply whether a patch with headers is complete, and has types that fit: of the patched sources themselves. What is refused for
 * them need not be compiled into all that includes the headers.
 * @returns why it is refused; one refusal for each unit that does not compile
 */
async function findBroken(source: PatchedSource, files: readonly string[], { jobs }: CreateRequest): Promise<Refusal[]> {
  const { build, patched, cacheDir } = source;
  const objects = files.filter((file) => file.endsWith(".c")).map((file) => file.replace(/\.c$/, ".o"));
  const units = [...(await findUnitCommands(build, objects)).values()].flatMap(unitsOf);
  try {
    const broken = await compileAll(build, units, patched, MOST_BROKEN);
    if (broken.length > 0) return broken;
    const kernel = { configDir: build.tree.configDir, release: build.release, cacheDir };
    const types = typesOf(source, { units, leftOut: [], notes: [] }, jobs);
    await checkLayouts(new Layouts({ all: units, types, patched, kernel }), {
      units,
      jobs,
      allowed: [],
      callbacks: LEAVE_CALLBACKS,
      tell: tellNobody,
    });
    return [];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === "changed-layout") throw error;
    // Of all else the whole try says more.
    return INCOMPLETE.has(error.code) ? [error] : [];
  }
}

function verdictOf({ code, exitCode, items }: Refusal): Verdict {
  // The patch is ours.
  if (code === "patch-does-not-apply") return "failed";
  if (NOT_BUILT.has(code)) return "not built";
  if (exitCode === EXIT_NO_CHANGE || (items.length > 0 && items.every((item) => item.code === "init-only"))) return "no effect";
  return "refused";
}
