import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import ignore from "ignore";
import { packageRoot } from "../src/host/package-root.js";
import type { PackageTree, PackOptions } from "./deb.js";
import { LIBRARY } from "./layout.js";
import { writeInside } from "./documentation.js";

/** Archives for who has no dpkg, or wants the source: the programs of all packages in one, and what they were built of. */

/** Where the units of the archive expect it. Programs run from anywhere. */
const PREFIX = "/usr/local";

/** What only dpkg and lintian read. */
const OF_PACKAGES = [
  "share/lintian",
  "share/doc/ksplice-build/copyright",
  "share/doc/ksplice-build/changelog.gz",
  "share/doc/ksplice/changelog.gz",
];

/**
 * Packs the files of the packages' trees below one directory: `bin`, `lib`, `share`.
 * @param work an empty directory
 * @returns the archive's path
 */
export async function packPrograms(trees: readonly PackageTree[], version: string, work: string, options: ArchiveOptions): Promise<string> {
  const name = `ksplice-${version}-linux-amd64`;
  const top = join(work, name);
  for (const { path } of trees) await cp(join(path, "usr"), top, { recursive: true, verbatimSymlinks: true });
  for (const path of OF_PACKAGES) await rm(join(top, path), { recursive: true, force: true });
  // Where zsh looks below /usr/local.
  await mkdir(join(top, "share/zsh/site-functions"));
  await cp(join(top, "share/zsh/vendor-completions"), join(top, "share/zsh/site-functions"), { recursive: true });
  await rm(join(top, "share/zsh/vendor-completions"), { recursive: true });
  await relocatePrograms(join(top, "bin"));
  for (const directory of ["lib/systemd/system", "lib/udev/rules.d"]) await relocateUnits(join(top, directory));
  for (const [from, to] of [
    ["packaging/INSTALL.md", "INSTALL.md"],
    ["LICENSE", "LICENSE"],
  ] as const)
    await writeInside(join(top, "share/doc/ksplice", to), await readFile(join(packageRoot(), from)));
  return await tar(name, ["-C", work, "--sort=name", name], options);
}

/** They find the library beside them, wherever it was unpacked. */
async function relocatePrograms(directory: string): Promise<void> {
  const text = `#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
library=$(dirname "$(readlink -f "$0")")/../${LIBRARY.replace(/^usr\//, "")}
exec "$library/node" "$library/dist/cli/\${0##*/}.cjs" "$@"
`;
  for (const name of await readdir(directory)) await writeInside(join(directory, name), text);
}

async function relocateUnits(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const text = await readFile(path, "utf8");
    await writeInside(
      path,
      text.replaceAll(/\/usr\/(bin\/ksplice|lib\/ksplice)\b/g, (_, rest: string) => `${PREFIX}/${rest}`),
    );
  }
}

/** Packs what this project's tree holds, of which the packages were built. @returns the archive's path */
export async function packSource(version: string, options: ArchiveOptions): Promise<string> {
  const files = await sourceFiles();
  // Links keep what they lead to.
  const names = ["-C", packageRoot(), `--transform=s,^,ksplice-${version}/,S`, "--no-recursion", "--null", "--files-from=-"];
  return await tar(`ksplice-${version}-source`, names, options, files.map((file) => `${file}\0`).join(""));
}

/** In a clone what git knows; in an unpacked archive all that is not made. Sorted. */
export async function sourceFiles(root = packageRoot()): Promise<string[]> {
  if (existsSync(join(root, ".git"))) {
    const { stdout } = await execa("git", ["ls-files", "-z"], { cwd: root });
    return stdout.split("\0").filter(Boolean).sort();
  }
  const made = ignore().add(await readFile(join(root, ".gitignore"), "utf8"));
  const list = async (directory: string): Promise<string[]> => {
    const entries = await readdir(join(root, directory), { withFileTypes: true });
    const nested = await Promise.all(
      entries.map(async (entry) => {
        const path = join(directory, entry.name);
        if (made.ignores(entry.isDirectory() ? `${path}/` : path)) return [];
        return entry.isDirectory() ? await list(path) : [path];
      }),
    );
    return nested.flat();
  };
  return (await list("")).sort();
}

interface ArchiveOptions extends PackOptions {
  readonly outputDir: string;
}

/** The same files give the same bytes: owners, modes and times are set, one thread compresses. */
async function tar(name: string, args: readonly string[], options: ArchiveOptions, input = ""): Promise<string> {
  const { outputDir, date, compression } = options;
  await mkdir(outputDir, { recursive: true });
  const archive = join(outputDir, compression === "none" ? `${name}.tar` : `${name}.tar.xz`);
  const compress = compression === "none" ? [] : ["--use-compress-program=xz -6 --threads=1"];
  const owner = ["--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX", "--format=gnu"];
  const seconds = Math.floor(date.getTime() / 1000);
  await execa("tar", ["-c", ...owner, `--mtime=@${seconds}`, ...compress, "-f", archive, ...args], { input });
  return archive;
}
