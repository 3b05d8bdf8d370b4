import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SHF_EXECINSTR } from "../../src/elf/constants.js";
import { parseObject } from "../../src/elf/parse-object.js";
import { writeObject } from "../../src/elf/write-object.js";
import { makeUpdate, openUpdate, packUpdate, requireFile } from "../../src/update/file/update-file.js";
import { runHost } from "../support/run-host.js";
import type { CommandResult } from "../../vm/machine.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { RAW_FIX, testTree, Workshop, type TestTree } from "./support/trees.js";

/** A kernel is saved where it runs, and updates are matched with it where it does not. */

const workshop = new Workshop();
const share = workshop.folder("share");
const snapshot = join(share, "kernel.snapshot");
let tree: TestTree;
let guest: Guest;
/** What `ksplice snapshot` said of the unpatched kernel. */
let saved: CommandResult;
let raw: string;
let i2c: string;

interface Report {
  readonly kernel: { readonly release: string; readonly buildId: string };
  readonly units: readonly {
    readonly path: string;
    readonly target: string;
    readonly kind: string;
    readonly mismatches: readonly unknown[];
  }[];
  readonly imports: number;
  readonly fits: boolean;
  readonly reason?: { readonly code: string };
}

async function match(...args: string[]): Promise<{ report: Report; exitCode: number }> {
  const result = await runHost("", ["match", "--json", ...args]);
  expect(result.stderr).not.toContain("internal error");
  return { report: JSON.parse(result.stdout) as Report, exitCode: result.exitCode };
}

/** Runs `ksplice ARGS` in the guest. */
async function ksplice(...args: string[]): Promise<CommandResult> {
  return await guest.ksplice("", ...args);
}

beforeAll(async () => {
  tree = await testTree("6.1");
  raw = await workshop.createOfEdits(tree.path, "raw", RAW_FIX);
  i2c = await workshop.createOfEdits(tree.path, "i2c", [
    { file: "drivers/i2c/i2c-dev.c", at: /(case I2C_TIMEOUT:)/, to: "$1\n\t\tif (arg == INT_MAX)\n\t\t\treturn -ERANGE;" },
    { file: "net/ipv4/raw.c", at: /err = -EINVAL;(?=\s*if \(iphlen > length)/, to: "err = -EDOM;" },
  ]);
  guest = await bootGuest(tree.path, { share, expose: [workshop.dir] });
  await guest.machine.loadModule("i2c-dev");
  saved = await ksplice("snapshot", "--json", snapshot);
});

afterAll(async () => {
  await guest.end();
  workshop.end();
});

describe("ksplice snapshot", () => {
  it("saves the running kernel into one file that only its owner may read", async () => {
    expect(saved, saved.stderr).toMatchObject({ exitCode: 0 });
    const summary = JSON.parse(saved.stdout) as Record<string, unknown>;
    expect(summary).toMatchObject({
      file: snapshot,
      kernel: { release: tree.release, machine: "x86_64" },
      updates: [],
      unreadableBytes: 0,
    });
    expect(summary["fileBytes"]).toBe(statSync(snapshot).size);
    expect(statSync(snapshot).mode & 0o777).toBe(0o600);
    expect(readdirSync(share)).toContain("kernel.snapshot");
    expect(saved.stderr).toContain("saving memory");
    await guest.expectClean();
  });
});

describe("ksplice match with the snapshot says", () => {
  it("that an update fits, built in and in a module", async () => {
    const { report, exitCode } = await match(raw, "--snapshot", snapshot);
    expect(report).toMatchObject({ kernel: { release: tree.release }, fits: true, units: [{ path: "net/ipv4/raw.o", kind: "matched" }] });
    expect(report.imports).toBeGreaterThan(10);
    expect(exitCode).toBe(0);
    const both = await match(i2c, "--snapshot", snapshot);
    expect(both.report.units.map(({ target, kind }) => [target, kind])).toEqual([
      ["i2c_dev", "matched"],
      ["vmlinux", "matched"],
    ]);
    expect(both).toMatchObject({ report: { fits: true }, exitCode: 0 });
  });

  it("what the running kernel itself says", async () => {
    const there = await ksplice("match", "--json", i2c);
    expect(there, there.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(there.stdout)).toEqual((await match(i2c, "--snapshot", snapshot)).report);
  });

  it("that an update of other code does not, and where it differs", async () => {
    const update = await openUpdate(raw);
    const [target] = update.manifest.targets;
    const [unit] = target?.units ?? [];
    const pre = parseObject(requireFile(update, unit?.pre ?? ""), "raw.o");
    const text = pre.sections.find(({ name, flags }) => (flags & SHF_EXECINSTR) !== 0 && name === ".text.raw_sendmsg");
    if (unit === undefined || text === undefined) throw new Error("no raw_sendmsg");
    text.data = Uint8Array.from(text.data);
    const at = 64;
    text.data[at] = (text.data[at] ?? 0) ^ 1;
    const other = makeUpdate(update.manifest, new Map([...update.files, [unit.pre, writeObject(pre)]]));
    const path = join(workshop.dir, "other.tar.gz");
    writeFileSync(path, await packUpdate(other));

    const { report, exitCode } = await match(path, "--snapshot", snapshot);
    expect(report).toMatchObject({
      fits: false,
      reason: { code: "no-match" },
      units: [{ kind: "mismatch", mismatches: [{ function: "raw_sendmsg" }] }],
    });
    expect(exitCode).toBe(1);
    const words = await runHost("", ["match", path, "--snapshot", snapshot]);
    expect(words.stdout).toMatch(/^net\/ipv4\/raw\.o \(vmlinux\): mismatch; \d+ of \d+ functions match, \d+ skipped$/);
    expect(words.stderr).toContain("the running kernel is not what net/ipv4/raw.o was compiled from");
    expect(words).toMatchObject({ exitCode: 1 });
    // Its object alone says the same.
    const object = join(workshop.dir, "raw.o");
    writeFileSync(object, writeObject(pre));
    expect(await match(object, "--snapshot", snapshot)).toMatchObject({
      report: { fits: false, reason: { code: "no-match" } },
      exitCode: 1,
    });
  });

  it("that an update for another kernel does not", async () => {
    const update = await openUpdate(raw);
    const kernel = { ...update.manifest.kernel, buildId: "00".repeat(20) };
    const path = join(workshop.dir, "build.tar.gz");
    writeFileSync(path, await packUpdate(makeUpdate({ ...update.manifest, kernel }, update.files)));
    expect(await match(path, "--snapshot", snapshot)).toMatchObject({
      report: { fits: false, reason: { code: "wrong-kernel" } },
      exitCode: 1,
    });
  });

  it("that a module is not loaded", async () => {
    const update = await workshop.createOfEdits(tree.path, "loop", [
      { file: "drivers/block/loop.c", at: /(static int lo_ioctl\([^{]*\{)/, to: "$1\n\tif (unlikely(!cmd))\n\t\treturn -ERANGE;\n" },
    ]);
    expect(await match(update, "--snapshot", snapshot)).toMatchObject({
      report: { fits: false, reason: { code: "target-not-loaded" }, units: [{ target: "loop", kind: "not-loaded" }] },
      exitCode: 1,
    });
  });
});

describe("an applied update", () => {
  it("is in the snapshot: the code that it brought is what a later one is matched with", async () => {
    await guest.mustRun("apply", raw);
    const patched = join(share, "patched.snapshot");
    const result = await ksplice("snapshot", "--json", patched);
    expect(JSON.parse(result.stdout)).toMatchObject({ updates: ["raw"] });
    expect(await match(raw, "--snapshot", patched)).toMatchObject({
      report: { fits: false, reason: { code: "already-applied" } },
      exitCode: 1,
    });
    // Made from the source without the first one, it would undo it.
    expect(await match(i2c, "--snapshot", patched)).toMatchObject({ report: { fits: false, reason: { code: "no-match" } }, exitCode: 1 });
    await guest.mustRun("undo", "raw");
    await guest.expectClean();
  });
});
