import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPackages } from "../../packaging/build-packages.js";
import { defaultCacheDir } from "../../src/host/cache-dir.js";
import { packageUpdate } from "../../src/service/package/update-package.js";
import { SmallRoot } from "../support/small-root.js";
import { incoming } from "../support/store-samples.js";

/**
 * The packages of the machine that is patched, and of updates, through dpkg in a small system: installed, used, upgraded, removed and purged, their scripts run. What apt makes of
 * them on a whole one, lintian and `ksplice-build` with its compilers are of the night: packages.nightly.test.ts.
 */

const dir = mkdtempSync(join(tmpdir(), "ksplice-installed-test-"));
const cacheDir = defaultCacheDir(process.env);
/** Of ksplice, from before an upgrade and after it; of two updates, the second of which needs the first. */
const debs: string[] = [];

beforeAll(async () => {
  for (const version of ["0.0.8", "0.0.9"])
    debs.push((await buildPackages({ outputDir: dir, cacheDir, version, compression: "none" })).debs[0] ?? "");
  for (const [id, after] of [
    ["first", []],
    ["second", ["first"]],
  ] as const) {
    const { name, bytes } = await packageUpdate(await incoming(id, { after: [...after] }), { maintainer: "A <a@debian.org>" });
    writeFileSync(join(dir, name), bytes);
    debs.push(join(dir, name));
  }
}, 300_000);

afterAll(() => {
  rmSync(dir, { recursive: true });
});

describe.each(["bookworm", "trixie"])("on a small %s", (suite) => {
  let root: SmallRoot;

  beforeAll(async () => {
    root = await SmallRoot.make(suite, cacheDir);
    for (const deb of debs) await root.copyIn(deb);
  }, 300_000);

  afterAll(async () => {
    await root.end();
  });

  /** @returns what was said */
  const sh = async (command: string): Promise<string> => {
    const { exitCode, output } = await root.run(command);
    expect(exitCode, `${command}: ${output.slice(-3000)}`).toBe(0);
    return output;
  };

  test("the small system is as dpkg would have it", async () => {
    expect(await sh("dpkg --audit; dpkg -l | grep -c ^ii")).toMatch(/^[4-9]\d$/);
    expect(await sh("command -v node npm gcc systemctl || echo none")).toBe("none");
  });

  test("ksplice is installed, with its units enabled, and runs", { timeout: 60_000 }, async () => {
    expect(await sh("dpkg -i ksplice_0.0.8_amd64.deb 2>&1")).not.toMatch(/warning|error/);
    expect(await sh("ksplice --version; ksplice-apply --version; ksplice view 2>&1")).toBe("0.0.8\n0.0.8\nno update is applied");
    expect(await sh("ls /etc/systemd/system/sysinit.target.wants")).toBe("ksplice-guard.service\nksplice.service");
    expect(await root.run("ksplice status -q")).toEqual({ exitCode: 13, output: "unsupported-kernel" });
  });

  test("it is upgraded; what an operator changed and disabled stays", { timeout: 60_000 }, async () => {
    await sh("echo '# mine' >>/etc/needrestart/conf.d/ksplice.conf; rm /etc/systemd/system/sysinit.target.wants/ksplice-guard.service");
    expect(await sh("dpkg -i --force-confold ksplice_0.0.9_amd64.deb 2>&1")).not.toMatch(/error/);
    expect(await sh("ksplice --version; tail -n 1 /etc/needrestart/conf.d/ksplice.conf")).toBe("0.0.9\n# mine");
    expect(await sh("ls /etc/systemd/system/sysinit.target.wants")).toBe("ksplice.service");
    // Its exit status differs between the releases.
    expect((await root.run("dpkg -V ksplice")).output).toMatch(/^..5\S* c \/etc\/needrestart\/conf\.d\/ksplice\.conf$/);
  });

  test("packages of updates bring them into service in their order, and take them out", { timeout: 60_000 }, async () => {
    const [first = "", second = ""] = debs.slice(2).map((deb) => basename(deb));
    expect(await root.run(`dpkg -i ${second}`)).toMatchObject({ exitCode: 1 });
    await sh(`dpkg -i ${first} ${second} 2>&1`);
    expect(await sh("ksplice list")).toBe("6.1.0-47-amd64:\n  first: a fix\n  second: a fix; needs first");
    expect(await sh("stat -c %a:%U /var/lib/ksplice /var/lib/ksplice/*/index.json")).toBe("700:root\n600:root");
    expect(await root.run("dpkg -r ksplice")).toMatchObject({ exitCode: 1 });
    expect(await sh("dpkg -r ksplice-update-second-6.1.0-47-amd64 2>&1")).toContain("second is out of service for 6.1.0-47-amd64");
    expect(await sh("ksplice list -q")).toBe("first");
  });

  test("where nobody has mounted /proc, as in an image that is being made, that is no hindrance", { timeout: 60_000 }, async () => {
    const [, second = ""] = debs.slice(2).map((deb) => basename(deb));
    const name = "ksplice-update-second-6.1.0-47-amd64";
    const { exitCode, output } = await root.run(
      `dpkg -i ${second} && ksplice list -q && dpkg -r ${name} && ksplice list -q`,
      "mount --rbind /dev $0/dev",
    );
    expect({ exitCode, output }).toMatchObject({ exitCode: 0, output: expect.stringMatching(/^first\nsecond$[^]*^first$/m) as string });
    expect(output).not.toMatch(/could not be published|cannot be/);
  });

  test("in a container that systemd runs they come and go, and say that they are not applied there", { timeout: 60_000 }, async () => {
    const [, second = ""] = debs.slice(2).map((deb) => basename(deb));
    // What the package of systemd has, which is not in this system.
    await sh(
      "mkdir -p /run/systemd/system && printf '#!/bin/sh\\nexit 0\\n' >/usr/bin/systemd-detect-virt && chmod 755 /usr/bin/systemd-detect-virt",
    );
    const installed = await sh(`dpkg -i ${second} 2>&1`);
    expect(installed).toContain("nothing of it is applied here");
    expect(installed).toContain("not all updates are applied");
    expect(await sh("ksplice list -q")).toBe("first\nsecond");
    expect(await sh("dpkg -r ksplice-update-second-6.1.0-47-amd64 2>&1")).toContain("second is out of service");
    expect(await sh("ksplice list -q")).toBe("first");
    await sh("rm -r /run/systemd /usr/bin/systemd-detect-virt");
  });

  test("removed, it leaves the store and the configuration; purged, nothing", { timeout: 60_000 }, async () => {
    const output = await sh("dpkg -r ksplice-update-first-6.1.0-47-amd64 ksplice 2>&1");
    expect(output).not.toMatch(/warning/);
    expect(
      await sh(
        "find / -xdev -name '*ksplice*' -not -path '/root/*' -not -path '/var/lib/dpkg/*' -not -path '/etc/systemd/*' -not -path '/var/lib/systemd/*' | sort",
      ),
    ).toBe("/etc/needrestart/conf.d/ksplice.conf\n/run/ksplice\n/var/lib/ksplice");
    // Where no systemd is, the directory of its units belongs to nobody else.
    const purged = (await sh("dpkg -P ksplice 2>&1")).replace(/^.*'\/usr\/lib\/systemd\/system' not empty.*$/m, "");
    expect(purged).not.toMatch(/warning/);
    expect(await sh("find / -xdev -name '*ksplice*' -not -path '/root/*'")).toBe("");
    expect(await sh("dpkg --audit")).toBe("");
  });
});
