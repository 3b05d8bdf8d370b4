import { execa } from "execa";
import { createServer, type AddressInfo } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildPackages } from "../../packaging/build-packages.js";
import { defaultCacheDir } from "../../src/host/cache-dir.js";
import { packageRoot } from "../../src/host/package-root.js";
import type { BareRoot } from "../support/bare-root.js";
import type { Edit } from "../support/edited-patch.js";
import { InstalledSystem } from "../support/installed-system.js";
import { testTree, Workshop } from "../vm/support/trees.js";

/**
 * The Ansible role against two machines with Debian 12, which it reaches by ssh as it would any. Debian 12, since its own ansible-core knows no newer Python than that of its
 * machines. Each step needs those before it.
 */

const UPDATES: Readonly<Record<string, readonly Edit[]>> = {
  good: [{ file: "fs/proc/version.c", at: /static int version_proc_show\([^)]*\)\s*\{/, to: '$&\n\tseq_puts(m, "patched\\n");' }],
  unwell: [{ file: "fs/proc/softirqs.c", at: /int i, j;\n/, to: '$&\n\tseq_puts(p, "broken\\n");' }],
};

const ansibleDir = join(packageRoot(), "packaging/ansible");
const playbook = join(ansibleDir, "playbook.yml");
/** ssh keeps sockets in there, whose paths are short. */
const home = mkdtempSync("/tmp/ksplice-ansible-");
const environment = {
  ...{ ANSIBLE_HOME: home, ANSIBLE_LOCAL_TEMP: join(home, "tmp"), ANSIBLE_SSH_CONTROL_PATH_DIR: join(home, "cp") },
  ...{ ANSIBLE_ROLES_PATH: join(ansibleDir, "roles"), ANSIBLE_HOST_KEY_CHECKING: "False", ANSIBLE_RETRY_FILES_ENABLED: "False" },
  // Emulated machines answer slowly.
  ...{ ANSIBLE_TIMEOUT: "300", ANSIBLE_PIPELINING: "True", ANSIBLE_NOCOLOR: "1" },
};

const workshop = new Workshop();
const names = ["one", "two"] as const;
const machines: InstalledSystem[] = [];
let settings: Record<string, unknown>;

beforeAll(async () => {
  const tree = await testTree("6.1");
  const { debs } = await buildPackages({ outputDir: workshop.dir, cacheDir: defaultCacheDir(process.env), compression: "none" });
  for (const [id, edits] of Object.entries(UPDATES)) await workshop.createOfEdits(tree.path, id, edits);
  settings = { ksplice_package: debs[0], ksplice_settings: { "well-after": "20s", "stop-limit": 1000 }, ksplice_wait: 300 };

  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(home, "key")]);
  const packages = ["openssh-server", "python3-apt", "kmod"];
  const first = await InstalledSystem.make("bookworm", tree.release, packages, [], prepareForSsh);
  machines.push(first, await first.copy());
  const inventory: string[] = [];
  for (const [index, machine] of machines.entries()) {
    const port = await freePort();
    await machine.boot(port);
    inventory.push(
      `${names[index] ?? ""} ansible_host=127.0.0.1 ansible_port=${port} ansible_user=root ansible_ssh_private_key_file=${home}/key ansible_python_interpreter=/usr/bin/python3`,
    );
  }
  await writeFile(join(home, "inventory"), `${inventory.join("\n")}\n`);
});

afterAll(async () => {
  for (const machine of machines) await machine.end();
  workshop.end();
  rmSync(home, { recursive: true });
});

async function prepareForSsh(root: BareRoot): Promise<void> {
  await mkdir(root.inside("root/.ssh"), { mode: 0o700, recursive: true });
  await writeFile(root.inside("root/.ssh/authorized_keys"), await readFile(join(home, "key.pub")), { mode: 0o600 });
  await writeFile(root.inside("etc/systemd/network/80-wired.network"), "[Match]\nType=ether\n\n[Network]\nAddress=10.0.2.15/24\n");
  const { exitCode, output } = await root.run("systemctl enable systemd-networkd ssh");
  expect(exitCode, output).toBe(0);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Recap {
  readonly exitCode: number | undefined;
  readonly output: string;
  /** How many tasks changed something, and failed, by machine that the play came to. */
  readonly hosts: Readonly<Record<string, { readonly changed: number; readonly failed: number }>>;
}

async function play(vars: Readonly<Record<string, unknown>>): Promise<Recap> {
  const args = ["-i", join(home, "inventory"), "-e", JSON.stringify({ ...settings, ...vars }), playbook];
  const { exitCode, all: output } = await execa("ansible-playbook", args, { env: environment, all: true, reject: false, stdin: "ignore" });
  const rows = output.matchAll(/^(\w+) +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=(\d+)/gm);
  const hosts = Object.fromEntries(
    [...rows].map(([, name = "", changed, failed]) => [name, { changed: Number(changed), failed: Number(failed) }]),
  );
  return { exitCode, output, hosts };
}

const inBoth = async (command: string): Promise<string[]> => await Promise.all(machines.map(async (machine) => await machine.sh(command)));
const update = (id: string): string => join(workshop.dir, `ksplice-${id}.tar.gz`);
const unchanged = { one: { changed: 0, failed: 0 }, two: { changed: 0, failed: 0 } };

it("ansible-lint has nothing to say", async () => {
  const { exitCode, all } = await execa("ansible-lint", ["--offline", "--nocolor", playbook, join(ansibleDir, "roles/ksplice")], {
    ...{ env: environment, cwd: ansibleDir, all: true, reject: false },
  });
  expect(exitCode, all).toBe(0);
});

describe("two machines", () => {
  it("get ksplice and an update, one after the other, which is confirmed", async () => {
    const { exitCode, output, hosts } = await play({ ksplice_updates: [update("good")] });
    expect(exitCode, output).toBe(0);
    expect(Object.keys(hosts)).toEqual(["one", "two"]);
    expect(output.indexOf("changed: [two]")).toBeGreaterThan(output.lastIndexOf("changed: [one]"));
    expect(await inBoth("head -n 1 /proc/version")).toEqual(["patched", "patched"]);
    expect(await inBoth("ksplice status -q && ksplice list -q && ! ls /run/ksplice/confirm/*.json 2>/dev/null")).toEqual([
      "in-order\ngood",
      "in-order\ngood",
    ]);
    const events = await inBoth("journalctl -b -q -o cat --output-fields=KSPLICE_EVENT KSPLICE_UPDATE=good");
    expect(events).toEqual(["applied\nconfirmed\ninstalled", "applied\nconfirmed\ninstalled"]);
  });

  it("do not change the second time", async () => {
    const { output, hosts } = await play({ ksplice_updates: [update("good")] });
    expect(hosts, output).toEqual(unchanged);
  });

  it("tell what they have as facts", async () => {
    const args = ["-i", join(home, "inventory"), "all", "-o", "-m", "setup", "-a", "gather_subset=!all,!min,local filter=ansible_local"];
    const { stdout } = await execa("ansible", args, { env: environment });
    const facts = stdout.split("\n").map((line) => JSON.parse(line.slice(line.indexOf("{"))) as unknown);
    const ksplice = { state: "in-order", updates: [{ id: "good", state: "applied", inService: true }] };
    expect(facts).toMatchObject([{ ansible_facts: { ansible_local: { ksplice } } }, { ansible_facts: { ansible_local: { ksplice } } }]);
  });

  it("are rid of an update that makes the first unwell, and the second never gets it", async () => {
    const vars = { ksplice_updates: [update("good"), update("unwell")], ksplice_health: "! grep -q broken /proc/softirqs" };
    const { exitCode, output, hosts } = await play(vars);
    expect(exitCode, output).not.toBe(0);
    expect(hosts).toEqual({ one: { changed: expect.any(Number) as number, failed: 1 } });
    await machines[0]?.until(
      "! grep -q broken /proc/softirqs && ! [ -e /run/ksplice/confirm/unwell.json ]",
      "journalctl -b -u ksplice-confirm-unwell",
    );
    expect(await inBoth("ksplice status -q && ksplice list -q && head -n 1 /proc/version")).toEqual([
      "in-order\ngood\npatched",
      "in-order\ngood\npatched",
    ]);
    expect(await machines[1]?.sh("journalctl -b -q KSPLICE_UPDATE=unwell")).toBe("");
  });

  it("are rid of an update that is to be absent, and do not change the second time", async () => {
    const { exitCode, output } = await play({ ksplice_absent: ["good"] });
    expect(exitCode, output).toBe(0);
    expect(await inBoth("head -n 1 /proc/version | cut -d' ' -f1; ksplice list -q")).toEqual(["Linux", "Linux"]);
    const again = await play({ ksplice_absent: ["good"] });
    expect(again.hosts, again.output).toEqual(unchanged);
    for (const machine of machines) expect(await machine.machine.problems()).toEqual([]);
  });
});
