import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";

/** By path in the package: text, or a file of the machine to copy. */
export type PackageFiles = Readonly<Record<string, string | { readonly copyOf: string }>>;

/** An archive of small packages that apt itself reads, signed with a key of its own. */
export class TestArchive {
  readonly #dir: string;
  readonly #home: string;

  /** @param dir an empty directory */
  constructor(dir: string) {
    this.#dir = join(dir, "archive");
    // gpg talks to its agent through a socket in there, whose path must stay below 108 bytes: not every temporary folder is short enough.
    this.#home = mkdtempSync("/tmp/ksplice-gpg-");
    mkdirSync(this.#dir, { recursive: true });
    this.#gpg("--quick-generate-key", "--passphrase", "", "test@example.org", "ed25519", "sign", "never");
    this.#gpg("--output", this.keyring, "--export");
  }

  get keyring(): string {
    return join(this.#home, "archive.gpg");
  }

  /** The entry for a sources.list. */
  get entry(): string {
    return `deb [arch=amd64 signed-by=${this.keyring}] copy:${this.#dir} ./`;
  }

  addPackage(name: string, version: string, files: PackageFiles = {}, fields = ""): void {
    const root = join(this.#dir, "..", "build", `${name}-${version}`);
    mkdirSync(join(root, "DEBIAN"), { recursive: true });
    chmodSync(join(root, "DEBIAN"), 0o755);
    const control = `Package: ${name}\nVersion: ${version}\nArchitecture: amd64\nMaintainer: x <x@y>\n${fields}Description: x\n`;
    writeFileSync(join(root, "DEBIAN/control"), control);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), typeof content === "string" ? content : readFileSync(content.copyOf));
      if (path.startsWith("usr/bin/")) chmodSync(join(root, path), 0o755);
    }
    execFileSync("dpkg-deb", ["-Zgzip", "-b", root, this.#dir], { stdio: "ignore" });
  }

  /** A source package as Debian's `linux-source-6.12` is: the tree in an archive of its own. */
  addSource(name: string, version: string, files: Readonly<Record<string, string>>, beside: PackageFiles = {}): void {
    const top = join(this.#dir, "..", "source", version);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(top, name, path)), { recursive: true });
      writeFileSync(join(top, name, path), text);
    }
    const packed = join(top, `${name}.tar.xz`);
    execFileSync("tar", ["-cJf", packed, "-C", top, name]);
    this.addPackage(name, version, { [`usr/src/${name}.tar.xz`]: { copyOf: packed }, ...beside });
  }

  /** Writes the index anew, and signs it. */
  publish(): void {
    const index = execFileSync("dpkg-scanpackages", ["--multiversion", "."], { cwd: this.#dir, stdio: ["ignore", "pipe", "ignore"] });
    writeFileSync(join(this.#dir, "Packages"), index);
    const hash = createHash("sha256").update(index).digest("hex");
    const date = new Date().toUTCString();
    writeFileSync(join(this.#dir, "Release"), `Origin: Test\nSuite: test\nDate: ${date}\nSHA256:\n ${hash} ${index.length} Packages\n`);
    this.#gpg("--clearsign", "--output", join(this.#dir, "InRelease"), join(this.#dir, "Release"));
  }

  /** What somebody between here and the archive might do. */
  tamper(change: (index: string) => string): void {
    const path = join(this.#dir, "Packages");
    writeFileSync(path, change(readFileSync(path, "utf8")));
  }

  end(): void {
    execFileSync("gpgconf", ["--homedir", this.#home, "--kill", "all"], { stdio: "ignore" });
    rmSync(this.#home, { recursive: true, force: true });
  }

  #gpg(...args: string[]): void {
    execFileSync("gpg", ["--homedir", this.#home, "--batch", "--yes", "--pinentry-mode", "loopback", ...args], { stdio: "ignore" });
  }
}
