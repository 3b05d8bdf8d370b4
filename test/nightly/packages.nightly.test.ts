import { execa } from "execa";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildPackages } from "../../packaging/build-packages.js";
import { packageUpdate } from "../../src/service/package/update-package.js";
import { packageVersion } from "../../src/cli/common.js";
import { defaultCacheDir } from "../../src/host/cache-dir.js";
import { packageRoot } from "../../src/host/package-root.js";
import { incoming } from "../support/store-samples.js";
import { BareRoot } from "../support/bare-root.js";

/** The packages as an operator meets them: installed, used, upgraded and purged on systems with nothing on them. */

const dir = mkdtempSync(join(tmpdir(), "ksplice-packages-"));
/** From before an upgrade, and after it. */
let old: readonly string[];
let current: readonly string[];
/** The programs of both packages. */
let archive: string;
/** Of an update, for a kernel that does not run here. */
let updates: string[];

beforeAll(async () => {
  const cacheDir = defaultCacheDir(process.env);
  old = (await buildPackages({ outputDir: dir, cacheDir, version: "0.0.9", compression: "none" })).debs;
  const built = await buildPackages({ outputDir: dir, cacheDir });
  current = built.debs;
  archive = built.archives[0] ?? "";
  updates = [];
  for (const [id, after] of [["first"], ["second", ["first"]]] as const) {
    const { name, bytes } = await packageUpdate(await incoming(id, after === undefined ? {} : { after: [...after] }), {
      maintainer: "A <a@debian.org>",
    });
    writeFileSync(join(dir, name), bytes);
    updates.push(join(dir, name));
  }
});

afterAll(() => {
  rmSync(dir, { recursive: true });
});

it("are small", () => {
  for (const file of [...current, archive]) expect(statSync(file).size).toBeLessThan(60e6);
});

it("lintian has nothing to say but what is overridden with a reason", async () => {
  const { stdout, exitCode } = await execa("lintian", ["--fail-on", "error,warning", "--allow-root", ...current, ...updates], {
    reject: false,
  });
  expect(stdout).not.toMatch(/^[EW]: /m);
  expect(exitCode, stdout).toBe(0);
});

describe.each(["bookworm", "trixie"])("on a bare %s", (suite) => {
  let root: BareRoot;

  beforeAll(async () => {
    root = await BareRoot.make(suite);
    for (const deb of [...old, ...current, ...updates, archive]) await root.copyIn(deb, `/root/${basename(deb)}`);
    const { exitCode, output } = await root.run("apt-get -q update");
    expect(exitCode, output).toBe(0);
  });

  afterAll(async () => {
    await root.end();
  });

  const install = async (debs: readonly string[]): Promise<void> => {
    const files = debs.map((deb) => `./${basename(deb)}`).join(" ");
    const { exitCode, output } = await root.run(`apt-get -q -y --no-install-recommends install ${files}`);
    expect(exitCode, output.slice(-4000)).toBe(0);
  };

  it("the archive is unpacked, used and taken away as its INSTALL.md says", async () => {
    const steps = (marker: string): string => {
      const [, rest = ""] = readFileSync(join(packageRoot(), "packaging/INSTALL.md"), "utf8").split(marker);
      const [, code = ""] = /\n\n((?: {4}.*\n)+)/.exec(rest) ?? [];
      // systemd does not run here.
      const commands = code.split("\n").map((line) => line.trim().replace(/^systemctl .*/, ""));
      return commands.filter(Boolean).join(" && ").replaceAll("VERSION", packageVersion());
    };
    const unpacked = await root.run(
      `apt-get -q -y --no-install-recommends install kmod xz-utils >/dev/null 2>&1; ${steps("unpack below /usr/local")}`,
    );
    expect(unpacked).toEqual({ exitCode: 0, output: "" });
    expect(await root.run("PATH=/usr/local/bin:$PATH; ksplice --version && ksplice view && ksplice list", "/")).toEqual({
      exitCode: 0,
      output: `${packageVersion()}\nno update is applied\nno update is in the store`,
    });
    expect((await root.run("/usr/local/bin/ksplice-create --patch=/dev/null /nonexistent")).output).toContain(
      "no kernel source tree at /nonexistent",
    );
    const { exitCode, stderr } = await execa(
      "systemd-analyze",
      ["verify", "--man=no", `--root=${root.path}`, "ksplice.service", "ksplice-guard.service", "ksplice-resume.service"],
      { reject: false },
    );
    expect(exitCode, stderr).toBe(0);
    expect(await root.run(steps("To be rid of it"))).toEqual({ exitCode: 0, output: "" });
    expect(await root.run("find /usr /var/lib /etc /run -xdev -name '*ksplice*'")).toEqual({ exitCode: 0, output: "" });
  });

  it("ksplice is installed without a compiler, Node or npm", async () => {
    await install(old.slice(0, 1));
    expect((await root.run("command -v gcc node npm")).output).toBe("");
    expect(await root.run("ksplice --version")).toEqual({ exitCode: 0, output: "0.0.9" });
  });

  it("it says what is the matter where there is no update, no kernel part, or no way to make updates", async () => {
    expect(await root.run("ksplice view")).toEqual({ exitCode: 0, output: "no update is applied" });
    // It has a process namespace of its own.
    expect(await root.run("ksplice-undo some")).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining("this is a container (with a process namespace of its own): it has no kernel of its own") as string,
    });
    expect(await root.run("ksplice-apply missing.tar.gz")).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining("missing.tar.gz is not a usable update: no such file") as string,
    });
    expect(await root.run("ksplice create --patch=x linux")).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining("apt-get install ksplice-build") as string,
    });
  });

  it("it is upgraded, together with what makes updates", async () => {
    await install(current);
    expect(await root.run("ksplice-create --version && ksplice --version")).toEqual({
      exitCode: 0,
      output: `${packageVersion()}\n${packageVersion()}`,
    });
    const { output } = await root.run("ksplice-create --patch=/dev/null /nonexistent");
    expect(output).toContain("no kernel source tree at /nonexistent");
  });

  it("one is not kept at another version than the other", async () => {
    const { exitCode } = await root.run(`apt-get -q -y --allow-downgrades install ./${basename(old[0] ?? "")} ksplice-build`);
    expect(exitCode).not.toBe(0);
  });

  it("a package of an update puts it in service, after the one that it needs, and takes it out", async () => {
    const { output } = await root.run("ksplice list; systemctl --version >/dev/null 2>&1 || echo no systemd");
    expect(output).toContain("no update is in the store");
    await install(updates);
    const listed = await root.run("ksplice list");
    expect(listed).toEqual({ exitCode: 0, output: "6.1.0-47-amd64:\n  first: a fix\n  second: a fix; needs first" });
    expect((await root.run("stat -c %a:%U /var/lib/ksplice /var/lib/ksplice/*/index.json")).output).toBe("700:root\n600:root");
    const removed = await root.run("apt-get -q -y remove ksplice-update-second-6.1.0-47-amd64");
    expect(removed.output).toContain("second is out of service for 6.1.0-47-amd64");
    expect((await root.run("ksplice list -q")).output).toBe("first");
    expect((await root.run("apt-get -q -y remove ksplice-update-first-6.1.0-47-amd64")).exitCode).toBe(0);
  });

  it("the units are enabled, and are what systemd understands", async () => {
    const { output } = await root.run("ls /etc/systemd/system/sysinit.target.wants");
    expect(output.split("\n")).toEqual(expect.arrayContaining(["ksplice-guard.service", "ksplice.service"]));
    const { exitCode, stderr } = await execa(
      "systemd-analyze",
      ["verify", "--man=no", `--root=${root.path}`, "ksplice.service", "ksplice-guard.service", "ksplice-resume.service"],
      { reject: false },
    );
    expect(exitCode, stderr).toBe(0);
  });

  it("needrestart says besides what the running kernel has, to people only", async () => {
    const line = "Kernel 6.1.0-47-amd64 has 1 live update, effectively 6.1.0-47-amd64+ksplice.1.";
    const installed = await root.run("apt-get -q -y --no-install-recommends install needrestart");
    expect(installed.exitCode, installed.output.slice(-4000)).toBe(0);
    expect(await root.run(`mkdir -p /run/motd.d && echo '${line}' >/run/motd.d/ksplice`)).toEqual({ exitCode: 0, output: "" });
    const say = async (options: string): Promise<string> => (await root.run(`needrestart -r l ${options}`)).output;
    expect(await say("-k")).toContain(line);
    for (const options of ["-b -k", "-p -k", "-q -k", "-l"]) expect(await say(options)).not.toContain("live update");
    expect(await root.run("rm /run/motd.d/ksplice && needrestart -r l -k")).toMatchObject({
      exitCode: 0,
      output: expect.not.stringMatching(/ksplice/) as string,
    });
  });

  it("is purged, and nothing is left", async () => {
    const { exitCode, output } = await root.run("apt-get -q -y purge ksplice ksplice-build");
    expect(exitCode, output.slice(-4000)).toBe(0);
    expect(output).not.toMatch(/warning|not empty/);
    const left = await root.run("find / -xdev -name '*ksplice*' -not -path '/root/ksplice*'");
    expect(left).toEqual({ exitCode: 0, output: "" });
  });
});
