import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../src/package-root.js";
import { readTextIfThere, writeWhole } from "../src/kbuild/files.js";
import type { CorpusSet, FileResult } from "./types.js";

/**
 * Results that are there already, so that an interrupted run goes on where it was. A result counts for the very program, set and file
 * that it was made with.
 */
export class ResultStore {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(set: CorpusSet, cacheDir: string): Promise<ResultStore> {
    const program = await hashProgram();
    return new ResultStore(join(cacheDir, "corpus", `${set.from}_${set.to}`, program.slice(0, 16)));
  }

  async find(file: string): Promise<FileResult | undefined> {
    const text = await readTextIfThere(this.#path(file));
    return text === undefined ? undefined : (JSON.parse(text) as FileResult);
  }

  async store(result: FileResult): Promise<void> {
    await writeWhole(this.#path(result.file), JSON.stringify(result));
  }

  #path(file: string): string {
    return join(this.#directory, `${file}.json`);
  }
}

/** What decides about a result: the compiled program, of this corpus and of all that it calls, and the kernel part's source. */
async function hashProgram(): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of ["dist/src", "dist/corpus", "kmod"]) {
    const files = (await readdir(join(packageRoot(), folder), { recursive: true })).filter((name) => /\.(js|c|h)$/.test(name)).sort();
    for (const file of files) hash.update(file).update(await readFile(join(packageRoot(), folder, file)));
  }
  return hash.digest("hex");
}
