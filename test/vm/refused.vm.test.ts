import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/host/package-root.js";
import { makeUpdate, openUpdate, packUpdate, type Update } from "../../src/update/file/update-file.js";
import { makeSigningKey } from "../support/signing-key.js";
import { buildCoreModules, ModuleLoader } from "./support/core-modules.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { RAW_FIX, testTree, Workshop, type TestTree } from "./support/trees.js";

/** What ksplice-apply refuses on a running kernel: a clear error that names the thing, nothing changed, nothing left behind. */

const workshop = new Workshop();
let tree: TestTree;
let raw: string;
let probe: string;
let guest: Guest;

async function expectRefusal(machine: Guest, args: string[], ...words: string[]): Promise<void> {
  const result = await machine.ksplice("apply", ...args);
  expect(result, result.stdout).toMatchObject({ exitCode: 1 });
  for (const word of words) expect(result.stderr).toContain(word);
  expect(result.stderr).not.toContain("internal error");
  await machine.expectClean();
}

/** An update that differs in its manifest only, hashes in order. */
async function forged(name: string, change: (update: Update) => Partial<Update["manifest"]["kernel"]>): Promise<string> {
  const update = await openUpdate(raw);
  const manifest = { ...update.manifest, kernel: { ...update.manifest.kernel, ...change(update) } };
  const path = join(workshop.dir, `${name}.tar.gz`);
  writeFileSync(path, await packUpdate(makeUpdate(manifest, update.files)));
  return path;
}

beforeAll(async () => {
  tree = await testTree("6.1");
  raw = await workshop.createOfEdits(tree.path, "raw", RAW_FIX);
  probe = await workshop.probe("raw-hdrincl");
  guest = await bootGuest(tree.path, { expose: [workshop.dir] });
});

afterAll(async () => {
  await guest.end();
  workshop.end();
});

describe("ksplice-apply refuses", () => {
  it("an update for another release, naming both", async () => {
    await expectRefusal(guest, [await forged("release", () => ({ release: "5.10.0-1-amd64" }))], "release", "5.10.0-1-amd64", tree.release);
  });

  it("to work for anybody but root", async () => {
    // The repository may lie where only root can go: shown again at a place where everybody can.
    await guest.sh(
      `mkdir -p /mnt/repo/dist /mnt/repo/node_modules && cp ${packageRoot()}/package.json /mnt/repo/ && chmod 755 /mnt /mnt/repo`,
    );
    for (const part of ["dist", "node_modules"]) await guest.sh(`mount --bind ${packageRoot()}/${part} /mnt/repo/${part}`);
    await guest.sh(`cp ${raw} /mnt/repo/update.tar.gz && chmod 644 /mnt/repo/*.*`);
    const result = await guest.machine.run(
      [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        process.execPath,
        "/mnt/repo/dist/cli/ksplice-apply.cjs",
        "/mnt/repo/update.tar.gz",
      ],
      { timeoutMs: 120_000 },
    );
    expect(result).toMatchObject({ exitCode: 1 });
    expect(result.stderr).toContain("needs root");
  });

  it("while the kernel hides its addresses", async () => {
    await guest.sh("echo 2 >/proc/sys/kernel/kptr_restrict");
    await expectRefusal(guest, [raw], "hides its symbols' addresses", "kptr_restrict");
    await guest.sh("echo 1 >/proc/sys/kernel/kptr_restrict");
  });

  it("while the kernel tells of its functions only; with its System.map the update goes in", async () => {
    // As one without CONFIG_KALLSYMS_ALL has it, at the places where this kernel is since boot.
    await guest.sh("grep -E '^[0-9a-f]+ [tTwW] [^[]*$' /proc/kallsyms >/tmp/functions && mount --bind /tmp/functions /proc/kallsyms");
    await expectRefusal(guest, [raw], "CONFIG_KALLSYMS_ALL", "--system-map");
    const map = join(tree.path, "ksplice/System.map");
    const other = join(workshop.dir, "other.map");
    writeFileSync(other, readFileSync(map, "latin1").replace(/^(.*)(.)( T raw_hash_sk)$/m, "$18$3"));
    await expectRefusal(guest, ["--system-map", other, raw], "it has raw_hash_sk at another place");
    await guest.mustRun("apply", "--system-map", map, raw);
    expect(await guest.sh(probe)).not.toBe("accepted");
    await guest.mustRun("undo", "--unload", "raw");
    await guest.sh("umount /proc/kallsyms && rm /tmp/functions");
    await guest.expectClean();
  });

  it("a module's update while the module is not loaded", async () => {
    const update = await workshop.createOfEdits(tree.path, "unloaded", [
      { file: "drivers/i2c/i2c-dev.c", at: /(case I2C_TIMEOUT:)/, to: "$1\n\t\tif (arg == INT_MAX)\n\t\t\treturn -ERANGE;" },
    ]);
    await expectRefusal(guest, ["--partial", update], "none of the modules");
  });

  it("a function that was changed in memory by hand, and shows both instructions", async () => {
    const events = "/sys/kernel/tracing/kprobe_events";
    await guest.sh("mount -t tracefs nodev /sys/kernel/tracing 2>/dev/null || true");
    // Not at the start, where ftrace would carry it: an int3 in the code.
    const offset = await findProbeOffset(guest, events);
    await guest.sh("echo 1 >/sys/kernel/tracing/events/kprobes/byhand/enable");
    await expectRefusal(
      guest,
      [raw],
      "the running kernel is not what net/ipv4/raw.o was compiled from",
      `raw_sendmsg+0x${offset.toString(16)}`,
      "int3",
      "expected:",
      "running:",
    );
    await guest.sh(`echo 0 >/sys/kernel/tracing/events/kprobes/byhand/enable; echo >${events}`);
    // The very update is fine once the function is itself again.
    await guest.mustRun("apply", raw);
    expect(await guest.sh(probe)).toBe("EINVAL");
    await guest.mustRun("undo", "raw");
    await guest.expectClean();
  });

  it("and nothing of all this changed the kernel", async () => {
    expect(await guest.sh(probe)).toBe("accepted");
    await guest.expectClean();
  });
});

describe("once it asks for signatures", () => {
  const signedBy = (name: string): string[] => [
    ...["--sign-key", join(workshop.dir, `${name}.key`)],
    ...["--sign-cert", join(workshop.dir, `${name}.pem`)],
  ];

  it("an update goes in that is signed by a key that the kernel knows, and by no other", async () => {
    // Another than those of the tests before, which may be resident: of such a one nothing is loaded again.
    const update = await workshop.createOfEdits(tree.path, "signed", RAW_FIX);
    for (const name of ["known", "unknown"]) makeSigningKey(workshop.dir, name);
    const modules = new ModuleLoader(guest.machine, await buildCoreModules(tree.path));
    const helped = await modules.load("kstest_key", [`certificate=${join(workshop.dir, "known.der")}`]);
    expect(helped, helped.stderr).toMatchObject({ exitCode: 0 });
    expect(await guest.sh("cat /proc/keys")).toContain("test known");
    await guest.sh("echo Y >/sys/module/module/parameters/sig_enforce");

    await expectRefusal(guest, [update], "no module without a signature");
    await expectRefusal(guest, [...signedBy("unknown"), update], "does not trust the key");
    await guest.mustRun("apply", ...signedBy("known"), update);
    expect(await guest.sh(probe)).not.toBe("accepted");
    await guest.mustRun("undo", "--unload", "signed");
    await guest.expectClean();
  });
});

/** Finds an instruction of raw_sendmsg that takes a probe that is no ftrace site and no optimised jump. @returns its offset */
async function findProbeOffset(machine: Guest, events: string): Promise<number> {
  for (let offset = 6; offset < 64; offset++) {
    const result = await machine.machine.run(
      `echo 0 >/proc/sys/debug/kprobes-optimization; echo 'p:byhand raw_sendmsg+${offset}' >${events}`,
    );
    if (result.exitCode === 0) return offset;
  }
  throw new Error("no instruction of raw_sendmsg takes a probe");
}

describe("on a locked kernel ksplice-apply refuses", () => {
  const on = async (appendCmdline: string, action: (locked: Guest) => Promise<void>): Promise<void> => {
    const locked = await bootGuest(tree.path, { appendCmdline, expose: [workshop.dir] });
    try {
      await action(locked);
    } finally {
      await locked.end();
    }
  };

  it("where modules must be signed: without a signature, and with one of a key that the kernel does not know", async () => {
    makeSigningKey(workshop.dir, "stranger");
    const signing = ["--sign-key", join(workshop.dir, "stranger.key"), "--sign-cert", join(workshop.dir, "stranger.pem")];
    await on("module.sig_enforce=1", async (locked) => {
      await expectRefusal(locked, [raw], "no module without a signature", "sig_enforce", "--sign-key");
      expect(await locked.sh("dmesg | grep -c 'is rejected' || true")).toBe("0");
      await expectRefusal(locked, [...signing, raw], "module ksplice", "does not trust the key", "mokutil");
      // It is the key: the kernel could read the signature.
      expect(await locked.sh("dmesg | grep 'is rejected'")).toContain("module with unavailable key");
    });
  });

  it("where memory may not be read", async () => {
    await on("lockdown=confidentiality", async (locked) => {
      await expectRefusal(locked, [raw], "kcore", "locked down");
    });
  });
});
