#!/usr/bin/env node
import { createHash } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { reportError } from "../src/cli/common.js";
import { defaultCacheDir } from "../src/host/cache-dir.js";
import { packageRoot } from "../src/host/package-root.js";
import { buildPackages } from "./build-packages.js";

/** `npm run package`: Debian packages of this clone, archives of the same programs and of the source, in `packages/`. */
async function run(): Promise<number> {
  const outputDir = join(packageRoot(), "packages");
  const { debs, archives } = await buildPackages({ outputDir, cacheDir: defaultCacheDir(process.env) });
  const sums: string[] = [];
  for (const path of [...debs, ...archives]) {
    process.stdout.write(`${path}  ${((await stat(path)).size / 1e6).toFixed(1)} MB\n`);
    sums.push(
      `${createHash("sha256")
        .update(await readFile(path))
        .digest("hex")}  ${basename(path)}\n`,
    );
  }
  await writeFile(join(outputDir, "SHA256SUMS"), sums.join(""));
  return 0;
}

process.exitCode = await run().catch((error: unknown) => reportError("package", error));
