import { execa } from "execa";
import { copyFile, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suiteSources } from "../../src/distro/debian/suite.js";
import { isFile } from "../../src/host/files.js";
import { packageRoot } from "../../src/host/package-root.js";

const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

export interface BareResult {
  readonly exitCode: number | undefined;
  /** Both streams. */
  readonly output: string;
}

/**
 * A Debian system with nothing but what a system must have, made by mmdebstrap of the archive's packages, entered by chroot in namespaces of its own. It
 * reaches the mirrors and npm's registry as this machine does. Takes a minute; only for root.
 */
export class BareRoot {
  private constructor(readonly path: string) {}

  /**
   * @param suite code name of the release
   * @param packages that it has besides
   */
  static async make(suite: string, packages: readonly string[] = []): Promise<BareRoot> {
    const root = new BareRoot(await mkdtemp(join(tmpdir(), `ksplice-bare-${suite}-`)));
    const sources = (await suiteSources(suite)).filter((entry) => !entry.includes(`${suite}-backports`));
    await execa("mmdebstrap", [
      "--quiet",
      "--variant=minbase",
      `--include=${["ca-certificates", "debian-archive-keyring", ...packages].join(",")}`,
      suite,
      root.path,
      ...sources,
    ]);
    await copyFile("/etc/resolv.conf", root.inside("etc/resolv.conf"));
    // Its registry may be one that only this machine's certificates vouch for.
    if (await isFile(CERTIFICATES)) await copyFile(CERTIFICATES, root.inside(CERTIFICATES));
    const { stdout: registry } = await execa("npm", ["config", "get", "registry"], { cwd: "/" });
    await writeFile(root.inside("root/.npmrc"), `registry=${registry}\n`);
    return root;
  }

  inside(path: string): string {
    return join(this.path, path);
  }

  /** Brings in what is committed of this project, as a clone. @returns where it is, seen from inside */
  async cloneProject(): Promise<string> {
    const place = "/root/ksplice";
    await execa("git", ["clone", "--quiet", packageRoot(), this.inside(place)]);
    return place;
  }

  async copyIn(file: string, place: string): Promise<void> {
    await mkdir(join(this.inside(place), ".."), { recursive: true });
    await copyFile(file, this.inside(place));
  }

  /** Runs shell text inside, and kills what it leaves running. Does not judge the outcome. */
  async run(command: string, cwd = "/root"): Promise<BareResult> {
    const enter = [
      "root=$1 cwd=$2 command=$3",
      "mount -t proc proc $root/proc",
      "mount --rbind /sys $root/sys",
      "mount --rbind /dev $root/dev",
      // The environment is a new user's.
      'exec chroot $root /usr/bin/env -i HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive NODE_EXTRA_CA_CERTS=$4 PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c "cd $cwd; $command"',
    ].join(" && ");
    const namespaces = ["--mount", "--pid", "--fork", "--kill-child"];
    const result = await execa("unshare", [...namespaces, "sh", "-c", enter, "sh", this.path, cwd, command, CERTIFICATES], {
      all: true,
      reject: false,
      stdin: "ignore",
    });
    return { exitCode: result.exitCode, output: result.all };
  }

  async end(): Promise<void> {
    // Mounts inside were of namespaces that are gone; a root that is still mounted somewhere must not be emptied.
    const { stdout } = await execa("cat", ["/proc/mounts"]);
    if (stdout.includes(` ${await realpath(this.path)}/`)) throw new Error(`something is still mounted below ${this.path}`);
    await rm(this.path, { recursive: true, force: true });
  }
}
