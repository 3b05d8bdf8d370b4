import { createHash } from "node:crypto";
import { chmod, lstat, lutimes, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

/** A Debian package about to be made: its tree is a directory that is then packed by dpkg-deb. */
export interface PackageTree {
  /** Holds the files as they will be installed. */
  readonly path: string;
  /** Fields of DEBIAN/control in their order, without Installed-Size. */
  readonly control: Readonly<Record<string, string>>;
  /** Maintainer scripts by name (`postrm`). */
  readonly scripts?: Readonly<Record<string, string>>;
}

export interface PackOptions {
  /** Nothing in the package is newer. */
  readonly date: Date;
  /** `none`: quick, for tests. */
  readonly compression: "xz" | "none";
}

/**
 * Packs a tree so that the same files give the same bytes: modes and times are set, owners are root's, one thread compresses.
 * @returns the package's path
 */
export async function packDeb(tree: PackageTree, outputDir: string, { date, compression }: PackOptions): Promise<string> {
  const { Package: name = "", Version: version = "", Architecture: architecture = "" } = tree.control;
  const files = await listTree(tree.path);
  const sizes = files.map(({ kind, size }) => (kind === "file" ? Math.ceil(size / 1024) : 1));
  const meta = join(tree.path, "DEBIAN");
  await rm(meta, { recursive: true, force: true });
  await mkdir(meta);
  const control = { ...tree.control, "Installed-Size": String(sizes.reduce((sum, size) => sum + size, 0)) };
  await writeFile(join(meta, "control"), controlText(control));
  for (const [script, text] of Object.entries(tree.scripts ?? {})) await writeFile(join(meta, script), text, { mode: 0o755 });
  const isConfiguration = ({ path, kind }: TreeEntry): boolean => kind === "file" && path.startsWith("etc/");
  const configuration = files.filter(isConfiguration).map(({ path }) => `/${path}\n`);
  // dpkg keeps what an operator changed of these, and has their hashes by itself.
  if (configuration.length > 0) await writeFile(join(meta, "conffiles"), configuration.join(""));
  const rest = files.filter((file) => !isConfiguration(file));
  await writeFile(join(meta, "md5sums"), await checksums(tree.path, rest));
  for (const { path, kind, executable } of await listTree(tree.path)) {
    const full = join(tree.path, path);
    if (kind !== "link") await chmod(full, kind === "directory" || executable ? 0o755 : 0o644);
    await lutimes(full, date, date);
  }
  await chmod(tree.path, 0o755);
  await lutimes(tree.path, date, date);

  await mkdir(outputDir, { recursive: true });
  const deb = join(outputDir, `${name}_${version}_${architecture}.deb`);
  const options = ["--root-owner-group", "--threads-max=1", `-Z${compression}`, ...(compression === "none" ? [] : ["-z6"])];
  await execa("dpkg-deb", [...options, "--build", tree.path, deb], {
    env: { SOURCE_DATE_EPOCH: String(Math.floor(date.getTime() / 1000)), LC_ALL: "C" },
  });
  return deb;
}

/** Paragraph of `Name: value` lines; further lines of a value are indented already. The description comes last, as readers expect. */
export function controlText(fields: Readonly<Record<string, string>>): string {
  const { Description: description, ...rest } = fields;
  const all = description === undefined ? rest : { ...rest, Description: description };
  return Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("");
}

interface TreeEntry {
  /** From the top of the tree. */
  readonly path: string;
  readonly kind: "file" | "directory" | "link";
  readonly size: number;
  readonly executable: boolean;
}

/** Everything below a directory, sorted by path, so that what is made of it does not depend on the file system. */
export async function listTree(top: string): Promise<TreeEntry[]> {
  const entries = await readdir(top, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => join(entry.parentPath, entry.name).slice(top.length + 1)).sort();
  return await Promise.all(
    paths.map(async (path) => {
      const stat = await lstat(join(top, path));
      const kind = stat.isSymbolicLink() ? "link" : stat.isDirectory() ? "directory" : "file";
      return { path, kind, size: stat.size, executable: (stat.mode & 0o100) !== 0 };
    }),
  );
}

async function checksums(top: string, entries: readonly TreeEntry[]): Promise<string> {
  const lines: string[] = [];
  for (const { path, kind } of entries)
    if (kind === "file")
      lines.push(
        `${createHash("md5")
          .update(await readFile(join(top, path)))
          .digest("hex")}  ${path}\n`,
      );
  return lines.join("");
}
