import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "../src/diagnostics.js";
import { packageRoot } from "../src/host/package-root.js";
import { hashOf, readTextIfThere, writeWhole } from "../src/host/files.js";
import { openUpdate, packUpdate, type Update } from "../src/update/file/update-file.js";
import { patchOfFixes, type CreatedFix } from "./judge-fix.js";
import type { Fix } from "./fixes/connect-pieces.js";
import type { FixSet } from "./fixes/find-fixes.js";
import type { FilePair } from "./fixes/split-pieces.js";
import type { CorpusSet, FixResult } from "./types.js";

/** What decides about a result besides the fix. */
export interface StoreKey {
  readonly set: CorpusSet;
  readonly mostUnits: number | undefined;
}

/** How far a fix was taken when its result was written down. */
export type Stage = "created" | "matched";

interface Remembered {
  readonly stage: Stage;
  readonly result: FixResult;
  /** Hash of the patch of the fix with all that it needed. */
  readonly together: string;
  /** What else the release held: where it is another, what was missing may be in it. */
  readonly neighbourhood: string;
}

/**
 * Results that are there already, so that an interrupted run goes on where it was, and a later one takes over what has not changed. A result counts
 * for the very text of a fix and of those that it needed, for a kernel, and for the program that decides: how the difference is taken apart, and how
 * results are shown, does not count.
 */
export class ResultStore {
  private readonly files: ReadonlyMap<string, FilePair>;
  private readonly fixes: ReadonlyMap<string, Fix>;
  private readonly neighbourhood: string;
  /** The patch of a fix alone: it takes a program to write one. */
  private readonly patches = new WeakMap<Fix, Promise<string>>();

  private constructor(
    private readonly directory: string,
    { files, fixes }: Pick<FixSet, "files" | "fixes">,
  ) {
    this.files = files;
    this.fixes = new Map(fixes.map((fix) => [fix.name, fix]));
    this.neighbourhood = hashOf([
      ...[...files.values()].flatMap(({ path, post = "" }) => [path, Buffer.from(post, "latin1")]),
      ...fixes.map((fix) => JSON.stringify(fix.pieces)),
    ]);
  }

  /** @param program what decides about results: its hash */
  static async open(
    { set, mostUnits }: StoreKey,
    cacheDir: string,
    found: Pick<FixSet, "files" | "fixes">,
    program?: string,
  ): Promise<ResultStore> {
    const key = hashOf([program ?? (await hashProgram()), set.release, set.from, String(mostUnits)]).slice(0, 16);
    return new ResultStore(join(cacheDir, "corpus", "fixes", set.release, key), found);
  }

  /** What is known of a fix, its update included. */
  async find(fix: Fix): Promise<(CreatedFix & { readonly stage: Stage }) | undefined> {
    const path = await this.#path(fix);
    const text = await readTextIfThere(`${path}.json`);
    if (text === undefined) return undefined;
    const { stage, result, together, neighbourhood } = JSON.parse(text) as Remembered;
    if (result.verdict === "not alone" && neighbourhood !== this.neighbourhood) return undefined;
    const companions = result.companions.flatMap((name) => this.fixes.get(name) ?? []);
    const taken = [fix, ...companions];
    if (companions.length < result.companions.length || together !== hashOf([await this.#patch(taken)])) return undefined;
    const update = result.verdict === "update" ? await openIfWhole(`${path}.tar.gz`) : undefined;
    if (result.verdict === "update" && update === undefined) return undefined;
    // The fix may have another name than it had, of another number in its file.
    return { stage, result: { ...result, fix: fix.name }, taken, update };
  }

  /** The update of a fix that became one. @throws Error if there is none */
  async requireUpdate(fix: Fix): Promise<Update> {
    const update = (await this.find(fix))?.update;
    if (update === undefined) throw new Error(`there is no update of ${fix.name}`);
    return update;
  }

  async store(fix: Fix, stage: Stage, { result, taken, update }: CreatedFix): Promise<void> {
    const path = await this.#path(fix);
    if (update !== undefined) await writeWhole(`${path}.tar.gz`, await packUpdate(update));
    const together = hashOf([await this.#patch(taken)]);
    // Written last: where it is, all is there.
    await writeWhole(`${path}.json`, JSON.stringify({ stage, result, together, neighbourhood: this.neighbourhood } satisfies Remembered));
  }

  async #path(fix: Fix): Promise<string> {
    const hash = hashOf([await this.#patch([fix])]);
    return join(this.directory, hash.slice(0, 2), hash.slice(2, 34));
  }

  async #patch(fixes: readonly Fix[]): Promise<string> {
    const [only] = fixes;
    if (only === undefined || fixes.length > 1) return await patchOfFixes({ files: this.files }, fixes);
    const known = this.patches.get(only) ?? patchOfFixes({ files: this.files }, fixes);
    this.patches.set(only, known);
    return await known;
  }
}

/** Undefined where it is missing or cut short: the fix is judged again. */
async function openIfWhole(path: string): Promise<Update | undefined> {
  try {
    return await openUpdate(path);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Files of the corpus that decide about a result. */
const JUDGING = ["compile-all", "compiler-words", "describe-diff", "judge-fix", "judge-process", "neighbours"].map(
  (name) => `dist/corpus/${name}.js`,
);

/** The compiled program, of all that a judgement calls, and the kernel part's source. */
async function hashProgram(): Promise<string> {
  const root = packageRoot();
  const files = [...JUDGING];
  for (const folder of ["dist/src", "kmod"])
    for (const name of (await readdir(join(root, folder), { recursive: true })).sort())
      if (/\.(js|c|h)$/.test(name) && !/^(?:cli|rehearse)\//.test(name)) files.push(`${folder}/${name}`);
  return hashOf(await Promise.all(files.map(async (file) => hashOf([file, await readFile(join(root, file))]))));
}
