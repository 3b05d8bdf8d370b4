import { execa } from "execa";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../src/host/package-root.js";
import { packPrograms, packSource } from "./archives.js";
import { packDeb, type PackOptions } from "./deb.js";
import { fetchNode } from "./node-runtime.js";
import { stageBuild, stageKsplice } from "./stage-packages.js";

export interface BuildRequest {
  readonly outputDir: string;
  readonly cacheDir: string;
  /** Default: that of package.json. */
  readonly version?: string;
  /** Default: SOURCE_DATE_EPOCH, or the last commit's; in an unpacked source archive that of its files. */
  readonly date?: Date;
  readonly compression?: PackOptions["compression"];
}

/** Paths of what was made. */
export interface BuiltPackages {
  /** `ksplice` and `ksplice-build`. */
  readonly debs: readonly string[];
  /** The programs of both, and the source. */
  readonly archives: readonly string[];
}

export async function buildPackages(request: BuildRequest): Promise<BuiltPackages> {
  const version =
    request.version ?? (JSON.parse(await readFile(join(packageRoot(), "package.json"), "utf8")) as { version: string }).version;
  const date = request.date ?? (await sourceDate());
  const runtime = await fetchNode(request.cacheDir);
  const work = await mkdtemp(join(tmpdir(), "ksplice-packages-"));
  try {
    const options = { version, date, runtime };
    const trees = [await stageKsplice(join(work, "ksplice"), options), await stageBuild(join(work, "ksplice-build"), options)];
    const pack = { outputDir: request.outputDir, date, compression: request.compression ?? "xz" };
    const debs: string[] = [];
    for (const tree of trees) debs.push(await packDeb(tree, pack.outputDir, pack));
    await mkdir(join(work, "archive"));
    const archives = [await packPrograms(trees, version, join(work, "archive"), pack), await packSource(version, pack)];
    return { debs, archives };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function sourceDate(): Promise<Date> {
  const epoch = process.env["SOURCE_DATE_EPOCH"];
  if (epoch !== undefined) return new Date(Number(epoch) * 1000);
  if (!existsSync(join(packageRoot(), ".git"))) return (await stat(join(packageRoot(), "package.json"))).mtime;
  const { stdout } = await execa("git", ["log", "-1", "--format=%ct"], { cwd: packageRoot() });
  return new Date(Number(stdout) * 1000);
}
