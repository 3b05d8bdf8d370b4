import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runHost } from "../support/run-host.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { testTree, Workshop } from "./support/trees.js";

/** Debugging a live kernel: a printk goes in with --diffext, shows up in dmesg, and comes out again. */

const workshop = new Workshop();
let guest: Guest;
let update: string;

beforeAll(async () => {
  const tree = await testTree("6.1");
  const source = readFileSync(join(tree.path, "fs/pipe.c"), "latin1");
  const edited = source.replace(/(\npipe_release\(.*?\n)(\t__pipe_lock\()/s, '$1\tpr_info("pipe_release by %s\\n", current->comm);\n$2');
  expect(edited).not.toBe(source);
  // The changed file lies beside the original.
  const own = await workshop.treeWith(tree, new Map([["fs/pipe.c.debug", edited]]));
  update = join(workshop.dir, "ksplice-debug.tar.gz");
  const created = await runHost("create", ["--diffext=.debug", "--id=debug", `--output=${update}`, own]);
  expect(created, created.stderr).toMatchObject({ exitCode: 0 });
  expect(created.stdout).toContain("pipe_release changed");
  guest = await bootGuest(tree.path, { expose: [workshop.dir] });
});

afterAll(async () => {
  await guest.end();
  workshop.end();
});

const makeAPipe = "echo x | cat >/dev/null";
const countLines = "dmesg | grep -c 'pipe_release by' || true";

describe("a printk in pipe_release", () => {
  it("prints once applied, and not before", async () => {
    await guest.sh(makeAPipe);
    expect(await guest.sh(countLines)).toBe("0");
    await guest.mustRun("apply", update);
    await guest.sh(makeAPipe);
    expect(Number(await guest.sh(countLines))).toBeGreaterThan(0);
    expect(await guest.sh("dmesg | grep 'pipe_release by cat' | head -n 1")).toContain("pipe_release by cat");
  });

  it("is silent once undone", async () => {
    await guest.mustRun("undo", "debug");
    await guest.sh("dmesg -c >/dev/null");
    await guest.sh(makeAPipe);
    expect(await guest.sh(countLines)).toBe("0");
    await guest.expectClean();
  });
});
