import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildPackages } from "../../packaging/build-packages.js";
import { defaultCacheDir } from "../../src/host/cache-dir.js";
import { readIncoming } from "../../src/service/read-incoming.js";
import { packageUpdate } from "../../src/service/package/update-package.js";
import type { Status } from "../../src/service/status/status-schema.js";
import type { Edit } from "../support/edited-patch.js";
import { InstalledSystem } from "../support/installed-system.js";
import { testTree, Workshop } from "../vm/support/trees.js";

/**
 * The life of ksplice on a machine with a bare Debian 13, which boots from its disk, as an operator has it: with systemd, udev and the journal, from `apt install` to
 * `apt purge`. Each step needs those before it.
 */

const UPDATES: Readonly<Record<string, readonly Edit[]>> = {
  good: [{ file: "fs/proc/version.c", at: /static int version_proc_show\([^)]*\)\s*\{/, to: '$&\n\tseq_puts(m, "patched\\n");' }],
  // A module's.
  late: [{ file: "net/core/pktgen.c", at: /seq_puts\(seq, version\);/, to: 'seq_puts(seq, "patched\\n");\n\t$&' }],
  // Whoever reads /proc/loadavg brings the machine down.
  bad: [
    { file: "fs/proc/loadavg.c", at: /get_avenrun\(avnrun, FIXED_1\/200, 0\);/, to: "$&\n\tavnrun[0] += *(unsigned long *)m->private;" },
  ],
  unwell: [{ file: "fs/proc/softirqs.c", at: /int i, j;\n/, to: '$&\n\tseq_puts(p, "broken\\n");' }],
};

/** Shorter than what an operator takes; an emulated machine's threads are looked at for longer. */
const CONFIG = "well-after = 20s\nstop-limit = 1000\n";

const workshop = new Workshop();
let release: string;
let system: InstalledSystem;

beforeAll(async () => {
  const tree = await testTree("6.12", "trixie");
  release = tree.release;
  const { debs } = await buildPackages({ outputDir: workshop.dir, cacheDir: defaultCacheDir(process.env), compression: "none" });
  const files = [...debs];
  for (const [id, edits] of Object.entries(UPDATES)) {
    const update = await workshop.createOfEdits(tree.path, id, edits);
    const { bytes } = await packageUpdate(await readIncoming(update), { maintainer: "A <a@debian.org>" });
    const deb = join(workshop.dir, `${id}.deb`);
    writeFileSync(deb, bytes);
    files.push(update, deb);
  }
  system = await InstalledSystem.make(
    "trixie",
    release,
    ["openssh-client"],
    files.filter((file) => !file.includes("ksplice-build")),
  );
  await system.boot();
});

afterAll(async () => {
  await system.end();
  workshop.end();
});

const install = async (deb: string): Promise<string> => await system.sh(`apt-get -q -y install ./${deb} 2>&1`);
const status = async (): Promise<Status> => JSON.parse((await system.run("ksplice status --json")).stdout) as Status;
const states = async (): Promise<string[]> => (await status()).updates.map(({ id, state }) => `${id} ${state}`);
const journal = async (...filter: string[]): Promise<Record<string, string>[]> => {
  const lines = await system.sh(`journalctl -b -q -o json --no-pager SYSLOG_IDENTIFIER=ksplice ${filter.join(" ")}`);
  return lines.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Record<string, string>]));
};
const isWell = async (): Promise<void> => {
  await system.until("! ls /var/lib/ksplice/*/*.mark 2>/dev/null", "systemctl list-timers --all; journalctl -b -u 'ksplice*'");
};

describe("a machine with a bare Debian 13", () => {
  it("gets ksplice, whose units run at once", async () => {
    await install("ksplice_*.deb");
    expect(await system.sh("systemctl is-active ksplice.service ksplice-guard.service")).toBe("active\nactive");
    expect(await system.sh("systemctl is-enabled ksplice.service ksplice-guard.service")).toBe("enabled\nenabled");
    expect(await system.sh("ksplice view 2>&1")).toBe("no update is applied");
    await system.sh(`mkdir -p /etc/ksplice && printf '${CONFIG.replaceAll("\n", "\\n")}' >/etc/ksplice/ksplice.conf`);
  });

  it("gets an update as a package, which is applied, and stays", async () => {
    expect(await install("good.deb")).toContain("1 of 1 updates in service");
    expect(await system.sh("head -n 1 /proc/version")).toBe("patched");
    expect(await status()).toMatchObject({ state: "in-order", updates: [{ id: "good", state: "applied" }] });
    await isWell();
    expect(await system.sh("cat /run/motd.d/ksplice")).toContain("1 live update");
  });

  it("has it again after a reboot, before anything of its work begins", async () => {
    await system.reboot();
    expect(await system.sh("head -n 1 /proc/version")).toBe("patched");
    expect(await states()).toEqual(["good applied"]);
    const times = await system.sh(
      "systemctl show --value -p ActiveEnterTimestampMonotonic ksplice.service sysinit.target basic.target | grep .",
    );
    const [own = NaN, ...later] = times.split("\n").map(Number);
    expect(
      later.every((time) => own <= time),
      times,
    ).toBe(true);
    expect(await system.sh("systemctl --failed --plain --no-legend --no-pager")).toBe("");
    await isWell();
  });

  it("says in the journal who applied what", async () => {
    const [event, ...more] = await journal("KSPLICE_EVENT=applied");
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      ...{ KSPLICE_UPDATE: "good", KSPLICE_RELEASE: release, KSPLICE_SHA256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
      ...{ MESSAGE: "update good was applied", PRIORITY: "5", _UID: "0", _SYSTEMD_UNIT: "ksplice.service" },
    });
  });

  it("applies an update of a module when the module comes", async () => {
    expect(await install("late.deb")).toContain("it waits for pktgen");
    expect((await status()).state).toBe("not-applied");
    await system.sh("modprobe pktgen");
    await system.until(
      "grep -q patched /proc/net/pktgen/pgctrl",
      "ls /run/ksplice/waiting; journalctl -b -u ksplice-resume -u systemd-udevd",
    );
    await system.until("! systemctl is-active -q ksplice-resume.service", "systemctl status --no-pager ksplice-resume.service");
    expect(await states()).toEqual(["good applied", "late applied"]);
    expect((await journal("KSPLICE_UPDATE=late", "KSPLICE_EVENT=applied"))[0]?.["_SYSTEMD_UNIT"]).toBe("ksplice-resume.service");
    await isWell();
  });

  it("undoes by itself what makes it unwell", async () => {
    await system.sh("ksplice apply --confirm 10m --health '! grep -q broken /proc/softirqs' ksplice-unwell.tar.gz");
    await system.until("! grep -q broken /proc/softirqs", "ksplice view; journalctl -b -u ksplice-confirm-unwell");
    await system.until("! [ -e /run/ksplice/confirm/unwell.json ]", "journalctl -b -u ksplice-confirm-unwell");
    expect((await journal("KSPLICE_UPDATE=unwell")).map((event) => event["KSPLICE_EVENT"])).toEqual(["applied", "undone"]);
    expect((await status()).state).toBe("in-order");
  });

  it("crashes of a bad update, which the next boot leaves out", async () => {
    expect(await install("bad.deb")).toContain("3 of 3 updates in service");
    expect(await system.crash("cat /proc/loadavg")).toMatch(/BUG: kernel NULL pointer dereference[^]*loadavg_proc_show/);
    await system.boot();
    await system.sh("cat /proc/loadavg");
    expect(await states()).toEqual(["good applied", "late waiting", "bad failed"]);
    expect((await status()).reasons.join("\n")).toContain("the machine went down soon after it was applied");
    expect(await system.run("ksplice status")).toMatchObject({ exitCode: 11 });
    expect(await system.sh("ksplice list")).toMatch(/^ +bad: .*left out after a crash/m);
    const [held, ...more] = await journal("KSPLICE_EVENT=held");
    expect(more).toEqual([]);
    expect(held).toMatchObject({ KSPLICE_UPDATE: "bad", PRIORITY: "4", _SYSTEMD_UNIT: "ksplice.service" });
    expect(await system.machine.problems()).toEqual([]);
  });

  it("is rid of all of it after a purge", async () => {
    const output = await system.sh("apt-get -q -y purge ksplice 2>&1");
    expect(output).toContain("good is out of service");
    expect(output).not.toMatch(/warning|not empty/);
    expect(await system.sh("head -n 1 /proc/version")).toMatch(/^Linux version /);
    expect(await system.sh("find / /run -xdev -name '*ksplice*' -not -path '/root/*' -not -path '/run/ksplice-vm*'")).toBe("");
    // New code that the kernel may have kept an address of stays in memory until the next boot.
    expect(await system.sh("cat /sys/kernel/ksplice/*/stage | sort -u")).toBe("resident");
    // Without the machine's channel to this test.
    const units = await system.sh("systemctl list-units --all --plain --no-legend --no-pager '*ksplice*'");
    expect(units.split("\n").filter((unit) => unit !== "" && !unit.includes("channel.mount"))).toEqual([]);
    // What a removed package leaves behind, its maintainer script, is listed as "deinstall".
    expect(await system.sh("dpkg --get-selections '*ksplice*'")).not.toMatch(/\sinstall$/m);
    expect(await system.machine.problems()).toEqual([]);
  });
});
