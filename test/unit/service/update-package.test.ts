import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageName, packageUpdate } from "../../../src/service/package/update-package.js";
import { incoming } from "../../support/store-samples.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

const dir = temporaryDirectory();
const MAINTAINER = { maintainer: "A <a@example.org>" };
const NAME = "ksplice-update-abc-6.1.0-47-amd64";
const CHANGE = { description: "net: a fix — It was wrong. ".repeat(5).trim(), after: ["first"], cves: ["CVE-2026-1234"] };

async function make(): Promise<string> {
  const given = { ...(await incoming("abc", CHANGE)), signature: new TextEncoder().encode("signature") };
  const { name, bytes } = await packageUpdate(given, MAINTAINER);
  writeFileSync(join(dir, name), bytes);
  return join(dir, name);
}

const field = (deb: string, name: string): string => execFileSync("dpkg-deb", ["-f", deb, name], { encoding: "utf8" }).trim();

describe("a package of an update", () => {
  test("is read by dpkg, and needs the packages of the updates that it was made after", async () => {
    const deb = await make();
    expect(deb).toBe(join(dir, `${NAME}_20260102.030405_amd64.deb`));
    expect(field(deb, "Depends")).toBe("ksplice, ksplice-update-first-6.1.0-47-amd64");
    expect(field(deb, "Version")).toBe("20260102.030405");
    expect(field(deb, "Description")).toMatch(
      /^live update of the kernel: net: a fix\n net: a fix — It was wrong\..*\n(?: .*\n)* .*Fixes\s+CVE-2026-1234\.$/s,
    );
  });

  test("holds the update and its signature, as they were, root's", async () => {
    const deb = await make();
    const listed = execFileSync("dpkg-deb", ["-c", deb], { encoding: "utf8", env: { ...process.env, TZ: "UTC" } })
      .trim()
      .split("\n");
    for (const line of listed) expect(line).toMatch(/^(-rw-r--r--|drwxr-xr-x) root\/root +\d+ 2026-01-02 03:04 \.\//);
    const root = join(dir, "root");
    execFileSync("dpkg-deb", ["-x", deb, root]);
    const path = join(root, "usr/share/ksplice/updates/6.1.0-47-amd64/ksplice-abc.tar.gz");
    expect(new Uint8Array(readFileSync(path))).toEqual(new Uint8Array((await incoming("abc", CHANGE)).tarball));
    expect(readFileSync(`${path}.sig`, "utf8")).toBe("signature");
  });

  test("is the same bytes each time", async () => {
    const given = await incoming("abc", CHANGE);
    expect(await packageUpdate(given, MAINTAINER)).toEqual(await packageUpdate(given, MAINTAINER));
  });

  test("has scripts that put it in service and take it out, and leave the kernel of another system alone", async () => {
    const deb = await make();
    const scripts = join(dir, "scripts");
    execFileSync("dpkg-deb", ["-e", deb, scripts]);
    const bin = join(dir, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "ksplice"), '#!/bin/sh\necho "ksplice $*"\n[ "$1" != remove ]\n');
    chmodSync(join(bin, "ksplice"), 0o755);
    const run = (script: string, ...args: string[]): string => {
      const { stdout, status, stderr } = spawnSync(join(scripts, script), args, {
        encoding: "utf8",
        env: { PATH: `${bin}:${process.env["PATH"] ?? ""}` },
      });
      expect([status, stderr]).toEqual([0, ""]);
      return stdout.trim();
    };
    // Neither this machine nor that of CI is one that systemd runs, or its kernel would be meant.
    expect(readFileSync(join(scripts, "postinst"), "utf8")).toContain("if [ -d /run/systemd/system ]; then\n\t\tksplice service start");
    expect(run("postinst", "configure", "")).toMatch(
      /^ksplice install --retry \/usr\/share\/ksplice\/updates\/6\.1\.0-47-amd64\/ksplice-abc\.tar\.gz\n/,
    );
    expect(run("postinst", "abort-upgrade", "")).toBe("");
    expect(run("prerm", "remove")).toMatch(/^ksplice remove (--now )?--wait 20 --release 6\.1\.0-47-amd64 abc$/);
    expect(run("prerm", "upgrade", "2")).toBe("");
  });

  test("has a name that Debian takes, or none", () => {
    expect(packageName("abc", "6.12.118+deb13-amd64")).toBe("ksplice-update-abc-6.12.118+deb13-amd64");
    expect(() => packageName("Abc", "6.1")).toThrow(expect.objectContaining({ code: "bad-package-name" }));
  });
});
