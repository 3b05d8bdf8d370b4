import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildPackages } from "../../packaging/build-packages.js";
import { defaultCacheDir } from "../../src/host/cache-dir.js";
import type { Status } from "../../src/service/status/status-schema.js";
import type { Edit } from "../support/edited-patch.js";
import { InstalledSystem } from "../support/installed-system.js";
import { testTree, Workshop } from "../vm/support/trees.js";

/**
 * A machine with a bare Debian 13 and an update in its kernel, which runs containers, of systemd-nspawn's and as docker and containerd make them: all of them have ksplice and the
 * machine's store, as if they were images of it. And a machine that needs a reboot, in each way there is.
 */

const UPDATES: Readonly<Record<string, readonly Edit[]>> = {
  good: [{ file: "fs/proc/version.c", at: /static int version_proc_show\([^)]*\)\s*\{/, to: '$&\n\tseq_puts(m, "patched\\n");' }],
  another: [{ file: "fs/proc/softirqs.c", at: /int i, j;\n/, to: '$&\n\tseq_puts(p, "one\\n");' }],
  // Whoever waits for the other end of a pipe stays in it.
  pipe: [{ file: "fs/pipe.c", at: /filp->f_pipe = 0;\n/, to: "$&\n\tif (!inode->i_sb)\n\t\treturn -ENODEV;\n" }],
};
const OTHER_OF_THAT_NAME: readonly Edit[] = [
  { file: "fs/proc/softirqs.c", at: /int i, j;\n/, to: '$&\n\tseq_puts(p, "two, and longer\\n");' },
];

const CONFIG = "well-after = 20s\nstop-limit = 1000\nprometheus = /var/lib/prometheus/ksplice.prom\n";

/** Asks each command in turn, from within. A line for each: `COMMAND|EXIT STATUS|FIRST LINE`. */
const INSIDE = `cd /root
for command in "$@"; do
	ksplice $command >/tmp/said 2>&1
	echo "$command|$?|$(head -n 1 /tmp/said)"
done
`;

/** Where the containers' root is: a layer above the machine's. */
const ROOT = "/srv/root";

/** A container without systemd-nspawn. @param mounts shell text; the root that is to be is the working directory */
const byHand = (flags: string, mounts: string, enter = ""): string =>
  `unshare --mount ${flags} sh -ec 'cd ${ROOT}; mount --make-rprivate /; mount -t proc proc proc; mount --rbind /sys sys; mount --rbind /dev dev; mount -t tmpfs tmpfs run; ${mounts}; pivot_root . mnt; umount -l mnt; exec ${enter} /usr/bin/env -i PATH=/usr/sbin:/usr/bin sh /root/inside.sh "$@"' sh`;

interface Container {
  /** What runs INSIDE in it. */
  readonly run: string;
  /** As the refusal names it. */
  readonly kind: string;
  /** It may read the kernel, load modules and write to sysfs. */
  readonly isPrivileged: boolean;
}

const NSPAWN = `systemd-nspawn --quiet --register=no --link-journal=no --directory=${ROOT}`;
const CONTAINERS: Readonly<Record<string, Container>> = {
  "systemd-nspawn's": { run: `${NSPAWN} sh /root/inside.sh`, kind: "systemd-nspawn", isPrivileged: false },
  "systemd-nspawn's, with users of its own": {
    run: `${NSPAWN} --private-users=identity sh /root/inside.sh`,
    kind: "systemd-nspawn",
    isPrivileged: false,
  },
  "systemd-nspawn's, privileged": {
    run: `SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes ${NSPAWN} --capability=all --system-call-filter=@module sh /root/inside.sh`,
    kind: "systemd-nspawn",
    isPrivileged: true,
  },
  "as containerd makes it": {
    run: byHand(
      "--pid --fork",
      "for name in kcore kallsyms; do mount --bind /dev/null proc/$name; done",
      "setpriv --bounding-set=-sys_module,-sys_admin,-syslog,-sys_rawio",
    ),
    kind: "with a process namespace of its own",
    isPrivileged: false,
  },
  "as docker makes it, privileged and with the machine's processes": {
    run: byHand("", "touch .dockerenv"),
    kind: "docker",
    isPrivileged: true,
  },
};

const REFUSED = [
  "uname -r",
  "apply ksplice-another.tar.gz",
  "apply --confirm 5m ksplice-another.tar.gz",
  "undo good",
  "confirm good",
  "install --now ksplice-another.tar.gz",
  "remove --now good",
  "service start",
  "service resume",
];

const workshop = new Workshop();
const second = new Workshop();
let system: InstalledSystem;

beforeAll(async () => {
  const { path, release } = await testTree("6.12", "trixie");
  const { debs } = await buildPackages({ outputDir: workshop.dir, cacheDir: defaultCacheDir(process.env), compression: "none" });
  const files = debs.filter((file) => !basename(file).startsWith("ksplice-build"));
  for (const [id, edits] of Object.entries(UPDATES)) files.push(await workshop.createOfEdits(path, id, edits));
  const other = await second.createOfEdits(path, "another", OTHER_OF_THAT_NAME);
  const inside = join(workshop.dir, "inside.sh");
  writeFileSync(inside, INSIDE);
  system = await InstalledSystem.make("trixie", release, ["systemd-container"], [...files, inside], async (root) => {
    await root.copyIn(other, "/root/other.tar.gz");
  });
  await system.boot();
  await system.sh(`mkdir -p /etc/ksplice && printf '${CONFIG.replaceAll("\n", "\\n")}' >/etc/ksplice/ksplice.conf`);
  await system.sh("apt-get -q -y install ./ksplice_*.deb 2>&1");
  await system.sh("ksplice install --now ksplice-good.tar.gz");
});

afterAll(async () => {
  await system.end();
  workshop.end();
  second.end();
});

const isWell = async (): Promise<void> => {
  await system.until("! ls /var/lib/ksplice/*/*.mark 2>/dev/null", "systemctl list-timers --all; journalctl -b -u 'ksplice*'");
};

describe("a container on a machine with an update", () => {
  /** All that a command might have changed. */
  const machine = async (): Promise<string> =>
    await system.sh(
      "head -n 1 /proc/version; grep . /sys/kernel/ksplice/*/stage; lsmod | grep ksplice | cut -d' ' -f1; find /var/lib/ksplice /etc/ksplice /run/ksplice /run/motd.d /var/lib/prometheus -type f -exec sha256sum {} + | sort; ksplice uname -r",
    );
  let before: string;

  beforeAll(async () => {
    await isWell();
    await system.sh("mount -t tmpfs tmpfs /srv && mkdir /srv/upper /srv/work /srv/root");
    await system.sh(`mount -t overlay overlay -o lowerdir=/,upperdir=/srv/upper,workdir=/srv/work ${ROOT}`);
    // It leads to the test from wherever it runs.
    await system.sh(`rm ${ROOT}/etc/systemd/system/multi-user.target.wants/vm-agent.service`);
    before = await machine();
    expect(before).toMatch(/^patched\n\/?.*applied$/m);
  });

  it.each(Object.entries(CONTAINERS))("%s: all is refused by name, and nothing is changed", async (_, { run, kind, isPrivileged }) => {
    const commands = ["status -q", "status --line", ...REFUSED, "view -q", "list -q", "verify -q ksplice-good.tar.gz"];
    const said = await system.sh(`${run} ${commands.map((command) => `'${command}'`).join(" ")} 2>&1`);
    const answers = new Map(
      said.split("\n").map((line): [string, string] => {
        const [command = "", exitCode = "", text = ""] = line.replace(/\r$/, "").split("|");
        return [command, `${exitCode}: ${text}`];
      }),
    );
    const release = system.release;
    const refusal = `1: ksplice: this is a container (${kind}): it has no kernel of its own`;
    expect(Object.fromEntries(answers), said).toEqual({
      "status -q": "13: unsupported-kernel",
      "status --line": `13: Kernel ${release}: this kernel is NOT SUPPORTED (this is a container (${kind}), and has no kernel of its own); see ksplice status.`,
      ...Object.fromEntries(REFUSED.map((command) => [command, refusal])),
      "view -q": "0: good",
      "list -q": "0: good",
      "verify -q ksplice-good.tar.gz": isPrivileged ? "0: " : refusal,
    });
    expect(await machine()).toBe(before);
  });

  it("that boots a system of its own leaves the units alone", async () => {
    await system.sh(
      `systemd-run --quiet --unit=booted systemd-nspawn --quiet --boot --link-journal=no --machine=booted --directory=${ROOT}`,
    );
    await system.until(
      "systemd-run --quiet --machine=booted --wait --pipe systemctl is-system-running --wait | grep -q 'running\\|degraded'",
      "journalctl -b -u booted -u systemd-machined --no-pager | tail -n 60",
      600,
    );
    const inside = async (command: string): Promise<string> =>
      (await system.run(`systemd-run --quiet --machine=booted --wait --pipe sh -c '${command}'`)).stdout.trim();
    expect(await inside("systemctl is-enabled ksplice.service; systemctl is-active ksplice.service ksplice-guard.service; true")).toBe(
      "enabled\ninactive\ninactive",
    );
    expect(await inside("systemctl --failed --plain --no-legend | grep ksplice")).toBe("");
    expect(await inside("ksplice status -q; echo $?; ls /run/motd.d 2>&1 | grep ksplice")).toBe("unsupported-kernel\n13");
    await system.sh("systemctl stop booted.service");
    expect(await machine()).toBe(before);
    await system.sh(`umount ${ROOT} && umount /srv`);
  });
});

describe("a reboot that is needed", () => {
  const status = async (): Promise<Status> => JSON.parse((await system.run("ksplice status --json")).stdout) as Status;

  /** All that anybody is told agrees. */
  async function expectState(state: Status["state"], exitCode: number, words: RegExp): Promise<Status> {
    const now = await status();
    expect(now.state, now.reasons.join("\n")).toBe(state);
    for (const form of ["", "--json", "--line", "-q"]) expect(await system.run(`ksplice status ${form}`)).toMatchObject({ exitCode });
    const line = await system.sh("ksplice status --line || true");
    expect(line).toMatch(words);
    expect(await system.sh("cat /run/motd.d/ksplice")).toBe(line);
    const figures = await system.sh("cat /var/lib/prometheus/ksplice.prom");
    expect(figures).toMatch(new RegExp(`^ksplice_state\\{state="${state}"\\} 1$`, "m"));
    expect(figures.match(/^ksplice_state\{.*\} 1$/gm)).toHaveLength(1);
    return now;
  }

  it("where another update of that name is in memory", async () => {
    await system.sh("ksplice install --now ksplice-another.tar.gz");
    expect(await system.sh("head -n 1 /proc/softirqs")).toBe("one");
    await system.sh("ksplice undo another && ksplice install other.tar.gz");
    await expectState("not-applied", 10, /updates in service are NOT APPLIED/);
    expect(await system.run("ksplice service start")).toMatchObject({ exitCode: 1 });
    const { reasons, updates } = await expectState("reboot-needed", 12, /a REBOOT is needed \(another: /);
    expect(reasons).toEqual([expect.stringMatching(/^another: code of an update another that was undone is still in memory/)]);
    expect(updates.map(({ id, state }) => `${id} ${state}`).sort()).toEqual(["another failed", "good applied"]);
  });

  it("where the kernel does not let go what is out of service", async () => {
    await system.sh("ksplice install --now ksplice-pipe.tar.gz && mkfifo /run/pipe");
    await system.sh("systemd-run --quiet --unit=reader sh -c 'exec cat /run/pipe'");
    await system.until("grep -qs wait_for_partner /proc/$(systemctl show --value -p MainPID reader)/stack", "systemctl status reader");
    const removed = await system.run("ksplice remove --now --tries 3 pipe");
    expect(removed).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("it STAYS in the kernel until the next boot") as string });
    const { reasons } = await expectState("reboot-needed", 12, /a REBOOT is needed \(.*, and 1 more\)/);
    expect(reasons).toContainEqual(expect.stringMatching(/^pipe is out of service and still in the kernel: /));
  });

  it("and is needed no more once it was", async () => {
    await system.reboot();
    const { updates } = await expectState("in-order", 0, /has 2 live updates/);
    expect(updates.map(({ id, state }) => `${id} ${state}`).sort()).toEqual(["another applied", "good applied"]);
    expect(await system.sh("head -n 1 /proc/softirqs")).toBe("two, and longer");
    expect(await system.machine.problems()).toEqual([]);
  });
});
