#!/usr/bin/env node
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { reportError } from "../src/cli/common.js";
import { defaultCacheDir } from "../src/host/cache-dir.js";
import { packageRoot } from "../src/host/package-root.js";
import { buildPackages } from "./build-packages.js";

/** `npm run package`: Debian packages of this clone, in `packages/`. */
async function run(): Promise<number> {
  const packages = await buildPackages({ outputDir: join(packageRoot(), "packages"), cacheDir: defaultCacheDir(process.env) });
  for (const path of packages) process.stdout.write(`${path}  ${((await stat(path)).size / 1e6).toFixed(1)} MB\n`);
  return 0;
}

process.exitCode = await run().catch((error: unknown) => reportError("package", error));
