import { execa } from "execa";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { runAptGet } from "../../src/distro/debian/apt.js";
import { openSuite } from "../../src/distro/debian/suite.js";
import { mapLimited } from "../../src/host/map-limited.js";
import type { BareResult } from "./bare-root.js";

/** What dpkg and maintainer scripts take, and what `ksplice` depends on; what these depend on comes along. */
const PACKAGES = [
  ...["base-files", "base-passwd", "dash", "coreutils", "dpkg", "tar", "debianutils", "diffutils", "grep", "sed", "findutils", "gzip"],
  ...["libc-bin", "perl-base", "init-system-helpers", "hostname", "util-linux", "kmod", "libstdc++6"],
];

const MOUNTS = 'mount -t proc proc "$0/proc" && mount --rbind /sys "$0/sys" && mount --rbind /dev "$0/dev"';

/** Of no use here. */
const LEFT_OUT = ["doc", "man", "info", "locale"].map((name) => `--exclude=./usr/share/${name}`);

/**
 * A Debian system of sixty packages without mmdebstrap: unpacked, and known to its dpkg as installed, but none of their scripts has run. Enough to install other packages in it by
 * dpkg, to run them, and to take them away. It takes four seconds, and 25 MB from the archive once.
 */
export class SmallRoot {
  private constructor(readonly path: string) {}

  /** @param suite code name of the release. @param cacheDir where the packages are kept */
  static async make(suite: string, cacheDir: string): Promise<SmallRoot> {
    const debs = await download(suite, cacheDir);
    const root = new SmallRoot(await mkdtemp(join(tmpdir(), `ksplice-small-${suite}-`)));
    const database = root.inside("var/lib/dpkg");
    for (const name of ["info", "updates", "triggers"]) await mkdir(join(database, name), { recursive: true });
    // Names of files there have the architecture where there may be several.
    await writeFile(join(database, "info/format"), "1\n");
    for (const name of ["bin", "sbin", "lib", "lib64"]) {
      await mkdir(root.inside(`usr/${name}`), { recursive: true });
      await symlink(`usr/${name}`, root.inside(name));
    }
    for (const name of ["proc", "sys", "dev", "run", "tmp", "root", "etc"]) await mkdir(root.inside(name), { recursive: true });
    const paragraphs = await mapLimited(debs, availableParallelism(), async (deb) => await root.#unpack(deb));
    await writeFile(join(database, "status"), paragraphs.join("\n"));
    // What the packages' scripts would have done.
    if (!existsSync(root.inside("usr/bin/sh"))) await symlink("dash", root.inside("usr/bin/sh"));
    for (const name of ["passwd", "group"]) await copyFile(root.inside(`usr/share/base-passwd/${name}.master`), root.inside(`etc/${name}`));
    await chmod(root.path, 0o755);
    return root;
  }

  inside(path: string): string {
    return join(this.path, path);
  }

  async copyIn(file: string): Promise<void> {
    await copyFile(file, this.inside(`root/${basename(file)}`));
  }

  /** Runs shell text inside, with processes and mounts of its own. Does not judge the outcome. @param mounts shell text that makes /proc, /sys and /dev of it */
  async run(command: string, mounts = MOUNTS): Promise<BareResult> {
    const enter = `${mounts} && exec chroot "$0" /usr/bin/env -i HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin sh -c "cd /root; $1"`;
    const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];
    const namespaces = ["--mount", "--pid", "--fork", "--kill-child", ...asRoot];
    const { exitCode, all } = await execa("unshare", [...namespaces, "sh", "-c", enter, this.path, command], {
      ...{ all: true, reject: false, stdin: "ignore" },
    });
    return { exitCode, output: all };
  }

  async end(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  /** @returns its paragraph for dpkg's table of what is installed */
  async #unpack(deb: string): Promise<string> {
    const unpacked = await execa(
      "sh",
      ["-c", 'dpkg-deb --fsys-tarfile "$0" | tar -xv --keep-directory-symlink "$@"', deb, "-C", this.path, ...LEFT_OUT],
      { maxBuffer: 1 << 26 },
    );
    const { stdout: control } = await execa("dpkg-deb", ["-f", deb]);
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(control)?.[1] ?? "";
    const name = field("Multi-Arch") === "same" ? `${field("Package")}:${field("Architecture")}` : field("Package");
    // `./usr/bin/` is `/usr/bin` there.
    const paths = unpacked.stdout.split("\n").map((path) => path.replace(/^\./, "").replace(/\/$/, "") || "/.");
    const info = this.inside(`var/lib/dpkg/info/${name}`);
    await writeFile(`${info}.list`, `${paths.join("\n")}\n`);
    await writeFile(`${info}.md5sums`, "");
    return `${control.replace("\n", "\nStatus: install ok installed\n")}\n`;
  }
}

/** apt finds what they depend on, and checks what it downloads; the machine's own state is not looked at. */
async function download(suite: string, cacheDir: string): Promise<string[]> {
  const apt = await openSuite({ suite }, { cacheDir });
  const directory = join(cacheDir, "test-roots", suite);
  const none = join(directory, "none");
  await mkdir(join(directory, "partial"), { recursive: true });
  await mkdir(join(none, "partial"), { recursive: true });
  await writeFile(join(directory, "status"), "");
  const run = async (archives: string, how: string): Promise<string> => {
    const settings = [`Dir::State::status=${join(directory, "status")}`, `Dir::Cache::archives=${archives}/`, "Debug::NoLocking=1"];
    const options = settings.flatMap((setting) => ["-o", setting]);
    const { exitCode, all, stdout } = await runAptGet(apt, [...options, how, "-y", "--no-install-recommends", "install", ...PACKAGES]);
    if (exitCode !== 0) throw new Error(`${suite}: ${all}`);
    return stdout;
  };
  // 'URI' FILE SIZE HASH, of those only that are not there already.
  const wanted = Array.from((await run(none, "--print-uris")).matchAll(/^'\S+' (\S+) \d+ /gm), ([, name = ""]) => name);
  await run(directory, "--download-only");
  // Versions of yesterday.
  for (const name of await readdir(directory))
    if (name.endsWith(".deb") && !wanted.includes(name)) await rm(join(directory, name), { force: true });
  return wanted.map((name) => join(directory, name));
}
