import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sourceFiles } from "../../../packaging/archives.js";
import { buildPackages, type BuiltPackages } from "../../../packaging/build-packages.js";
import { defaultCacheDir } from "../../../src/host/cache-dir.js";

/** The Debian packages and the archives, built without compression, looked into, and their programs run from where they were unpacked. */

const top = mkdtempSync(join(tmpdir(), "ksplice-packages-test-"));
const root = join(top, "root");
const build = async (name: string): Promise<BuiltPackages> =>
  await buildPackages({
    outputDir: join(top, name),
    cacheDir: defaultCacheDir(process.env),
    version: "0.0.9",
    date: new Date("2026-01-02T03:04:05Z"),
    compression: "none",
  });
let packages: readonly string[];
let archives: readonly string[];

beforeAll(async () => {
  ({ debs: packages, archives } = await build("first"));
  mkdirSync(root);
  for (const deb of packages) execFileSync("dpkg-deb", ["-x", deb, root]);
}, 300_000);

afterAll(() => {
  rmSync(top, { recursive: true });
});

const field = (deb: string, name: string): string => execFileSync("dpkg-deb", ["-f", deb, name], { encoding: "utf8" }).trim();

test("the same clone makes the same bytes", { timeout: 300_000 }, async () => {
  const hashes = (files: readonly string[]): string[] => files.map((file) => createHash("sha256").update(readFileSync(file)).digest("hex"));
  const second = await build("second");
  expect(hashes([...second.debs, ...second.archives])).toEqual(hashes([...packages, ...archives]));
});

test("they are named, and what makes updates needs what applies them", () => {
  expect(packages.map((path) => path.slice(path.lastIndexOf("/") + 1))).toEqual(["ksplice_0.0.9_amd64.deb", "ksplice-build_0.0.9_all.deb"]);
  const [ksplice = "", builder = ""] = packages;
  expect(field(builder, "Depends")).toMatch(/^ksplice \(= 0\.0\.9\), .*\bgcc\b/);
  expect(field(ksplice, "Depends")).not.toMatch(/gcc,|nodejs|npm/);
});

test("all files are root's, and none is newer than the source", () => {
  for (const deb of packages) {
    const listed = execFileSync("dpkg-deb", ["-c", deb], { encoding: "utf8", env: { ...process.env, TZ: "UTC" } });
    for (const line of listed.trim().split("\n"))
      expect(line).toMatch(/^(-rw-r--r--|[-d]rwxr-xr-x|lrwxrwxrwx) root\/root +\d+ 2026-01-02 03:04 \.\//);
  }
});

test("no file is in both", () => {
  const list = (deb: string): string[] =>
    execFileSync("sh", ["-c", 'dpkg-deb --fsys-tarfile "$0" | tar -t', deb], { encoding: "utf8" })
      .split("\n")
      .filter((name) => !/\/$|^$/.test(name));
  const files = packages.flatMap(list);
  expect(files.length).toBeGreaterThan(50);
  expect(new Set(files).size).toBe(files.length);
});

test("what an operator may change is kept at an upgrade", () => {
  const [ksplice = ""] = packages;
  expect(execFileSync("dpkg-deb", ["-I", ksplice, "conffiles"], { encoding: "utf8" })).toBe("/etc/needrestart/conf.d/ksplice.conf\n");
  expect(execFileSync("dpkg-deb", ["-I", ksplice, "md5sums"], { encoding: "utf8" })).not.toMatch(/ etc\//);
});

test("the Ansible role is where Ansible looks, and its file of facts can be run", () => {
  const role = join(root, "usr/share/ansible/roles/ksplice");
  expect(readdirSync(role).sort()).toEqual(["defaults", "files", "meta", "tasks", "templates", "vars"]);
  expect(statSync(join(role, "files/ksplice.fact")).mode & 0o777).toBe(0o755);
  expect(existsSync(join(root, "usr/share/doc/ksplice-build/examples/playbook.yml"))).toBe(true);
});

test("without ksplice-build, create says what is missing", () => {
  const alone = join(top, "alone");
  mkdirSync(alone);
  execFileSync("dpkg-deb", ["-x", packages[0] ?? "", alone]);
  const library = join(alone, "usr/lib/ksplice");
  const run = spawnSync(join(library, "node"), [join(library, "dist/cli/ksplice.cjs"), "create", "--patch=x", "/nonexistent"], {
    encoding: "utf8",
  });
  expect(run.status).toBe(1);
  expect(run.stderr).toContain("apt-get install ksplice-build");
});

describe("the archives", () => {
  const names = ["ksplice-0.0.9-linux-amd64", "ksplice-0.0.9-source"];
  const listing = (archive: string): string[] =>
    execFileSync("tar", ["-tvf", archive], { encoding: "utf8", env: { ...process.env, TZ: "UTC" } })
      .trim()
      .split("\n");

  test("have the version in their names, and one directory each", () => {
    expect(archives.map((path) => path.slice(path.lastIndexOf("/") + 1))).toEqual(names.map((name) => `${name}.tar`));
    expect(new Set(archives.flatMap(listing).map((line) => / (ksplice-[^/]+)\//.exec(line)?.[1]))).toEqual(
      new Set(["ksplice-0.0.9-linux-amd64", "ksplice-0.0.9"]),
    );
  });

  test("are root's, and nothing in them is newer than the source", () => {
    for (const line of archives.flatMap(listing))
      expect(line).toMatch(/^(-rwxr-xr-x|-rw-r--r--|drwxr-xr-x|lrwx\S+) 0\/0 +\d+ 2026-01-02 03:04 /);
  });

  test("the programs run from wherever they were unpacked, by a link, too", () => {
    const place = join(top, "some where");
    mkdirSync(place);
    execFileSync("tar", ["-xf", archives[0] ?? "", "-C", place, "--strip-components=1"]);
    for (const name of ["ksplice", "ksplice-apply", "ksplice-view", "ksplice-undo", "ksplice-create"])
      expect(spawnSync(join(place, "bin", name), ["--version"], { encoding: "utf8", cwd: "/" })).toMatchObject({
        status: 0,
        stdout: "0.0.9\n",
      });
    mkdirSync(join(top, "links"));
    symlinkSync(join(place, "bin/ksplice"), join(top, "links/ksplice"));
    const linked = spawnSync(join(top, "links/ksplice"), ["create", "--patch=/dev/null", "/nonexistent"], { encoding: "utf8" });
    expect(linked.stderr).toContain("no kernel source tree at /nonexistent");
    const units = readdirSync(join(place, "lib/systemd/system")).map((name) =>
      readFileSync(join(place, "lib/systemd/system", name), "utf8"),
    );
    expect(units.join("\n")).toMatch(/^ExecStart=\/usr\/local\/bin\/ksplice service start/m);
    expect(units.join("\n")).not.toMatch(/\/usr\/(bin|lib)\/ksplice/);
  });

  test("the source's holds what the clone has, and knows itself what that is", async () => {
    const place = join(top, "source");
    mkdirSync(place);
    execFileSync("tar", ["-xf", archives[1] ?? "", "-C", place, "--strip-components=1"]);
    for (const made of ["node_modules/x/index.js", "dist/cli/ksplice.cjs", "packages/ksplice.deb"]) {
      mkdirSync(dirname(join(place, made)), { recursive: true });
      writeFileSync(join(place, made), "");
    }
    expect(await sourceFiles(place)).toEqual(await sourceFiles());
    expect(readlinkSync(join(place, "bin/ksplice-apply"))).toBe("ksplice");
    expect(spawnSync("diff", ["-r", join(place, "kmod"), "kmod"], { encoding: "utf8" })).toMatchObject({ status: 0, stdout: "" });
  });
});

describe("the programs", () => {
  const node = join(root, "usr/lib/ksplice/node");
  const cli = join(root, "usr/lib/ksplice/dist/cli");

  test("have a command each, and a manual page and a completion", () => {
    for (const name of readdirSync(join(root, "usr/bin"))) {
      expect(existsSync(join(cli, `${name}.cjs`)), name).toBe(true);
      expect(existsSync(join(root, `usr/share/man/man1/${name}.1.gz`)), name).toBe(true);
      expect(existsSync(join(root, `usr/share/bash-completion/completions/${name}`)), name).toBe(true);
    }
  });

  test.each(["ksplice", "ksplice-apply", "ksplice-view", "ksplice-undo", "ksplice-create"])(
    "%s runs with the Node that comes along",
    (name) => {
      const run = spawnSync(node, [join(cli, `${name}.cjs`), "--version"], { encoding: "utf8", env: {}, cwd: "/" });
      expect(run).toMatchObject({ status: 0, stdout: "0.0.9\n", stderr: "" });
    },
  );

  test("need no library that is not depended on", () => {
    const libraries = execFileSync("ldd", [node], { encoding: "utf8" });
    const names = [...libraries.matchAll(/^\s*(?:\/\S*\/)?([\w+-]+)\.so/gm)].map(([, name]) => name ?? "");
    // libc6 has these besides the last two.
    const known = ["linux-vdso", "libdl", "libm", "libpthread", "libc", "ld-linux-x86-64", "libgcc_s", "libstdc++"];
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
  });

  test("hold nothing of the machine that built them", () => {
    for (const name of ["ksplice.cjs", ...readdirSync(join(cli, "bundle")).map((file) => `bundle/${file}`)]) {
      const text = readFileSync(join(cli, name), "utf8");
      expect(text).not.toMatch(/^#!|sourceMappingURL=/m);
      expect(text).not.toContain(process.cwd());
    }
  });
});
