import { execa } from "execa";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../src/host/package-root.js";
import { packDeb, type PackOptions } from "./deb.js";
import { fetchNode } from "./node-runtime.js";
import { stageBuild, stageKsplice } from "./stage-packages.js";

export interface BuildRequest {
  readonly outputDir: string;
  readonly cacheDir: string;
  /** Default: that of package.json. */
  readonly version?: string;
  /** Default: SOURCE_DATE_EPOCH, or the last commit's. */
  readonly date?: Date;
  readonly compression?: PackOptions["compression"];
}

/** Makes `ksplice` and `ksplice-build`. @returns their paths */
export async function buildPackages(request: BuildRequest): Promise<string[]> {
  const version =
    request.version ?? (JSON.parse(await readFile(join(packageRoot(), "package.json"), "utf8")) as { version: string }).version;
  const date = request.date ?? (await sourceDate());
  const runtime = await fetchNode(request.cacheDir);
  const work = await mkdtemp(join(tmpdir(), "ksplice-packages-"));
  try {
    const options = { version, date, runtime };
    const trees = [await stageKsplice(join(work, "ksplice"), options), await stageBuild(join(work, "ksplice-build"), options)];
    const packages: string[] = [];
    for (const tree of trees) packages.push(await packDeb(tree, request.outputDir, { date, compression: request.compression ?? "xz" }));
    return packages;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function sourceDate(): Promise<Date> {
  const epoch = process.env["SOURCE_DATE_EPOCH"];
  if (epoch !== undefined) return new Date(Number(epoch) * 1000);
  const { stdout } = await execa("git", ["log", "-1", "--format=%ct"], { cwd: packageRoot() });
  return new Date(Number(stdout) * 1000);
}
