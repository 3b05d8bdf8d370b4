import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Verification } from "../../src/update/verify/verify-update.js";
import { patchedFiles, patchOfEdits, type Edit } from "../support/edited-patch.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { step } from "./support/step.js";
import { testTree, Workshop } from "./support/trees.js";

/** An update of two modules, one of which is loaded later; and one on top of it. */

const DUMMY: Edit = {
  file: "drivers/net/dummy.c",
  at: /(dev_lstats_read\(dev, &stats->tx_packets, &stats->tx_bytes\);)/,
  to: "$1\n\tstats->tx_packets += 1000;",
};
const IFB: Edit = { file: "drivers/net/ifb.c", at: /(stats->rx_dropped = dev->stats\.rx_dropped;)/, to: "$1\n\tstats->tx_errors += 1000;" };

const workshop = new Workshop();
let guest: Guest;
let both: string;
let onDummy: string;
let onIfb: string;

beforeAll(async () => {
  const tree = await testTree("6.1");
  const patch = patchOfEdits(tree.path, [DUMMY, IFB]);
  const patchedTree = await workshop.treeWith(tree, patchedFiles(tree.path, patch));
  both = await workshop.create(tree.path, "both", patch);
  const more = (file: string): string => patchOfEdits(patchedTree, [{ file, at: /\+= 1000;/, to: "+= 2000;" }]);
  onDummy = await workshop.create(tree.path, "ondummy", more(DUMMY.file), `--after=${both}`);
  onIfb = await workshop.create(tree.path, "onifb", more(IFB.file), `--after=${both}`);
  guest = await bootGuest(tree.path, { expose: [workshop.dir] });
});

afterAll(async () => {
  await guest.end();
  workshop.end();
});

const dummy = () => guest.sh("cat /sys/class/net/dummy0/statistics/tx_packets");
const ifb = () => guest.sh("cat /sys/class/net/ifb0/statistics/tx_errors");

async function expectRefusal(command: string, args: readonly string[], ...words: readonly string[]): Promise<void> {
  const result = await guest.ksplice(command, ...args);
  expect(result.exitCode, result.stdout).toBe(1);
  for (const word of words) expect(result.stderr).toContain(word);
}

describe("an update of two modules", () => {
  it("goes into the one that is loaded, and no further", async () => {
    await guest.machine.loadModule("dummy");
    await step("all of it waits for both", async () => {
      await expectRefusal("apply", [both], "ifb", "--partial");
      expect(await dummy()).toBe("0");
    });
    await step("a part of it goes in, and says what it leaves out", async () => {
      const { stdout } = await guest.mustRun("apply", "--partial", both);
      expect(stdout).toContain("not loaded: ifb");
      expect(await dummy()).toBe("1000");
    });
    await step("the module that has it stays", async () => {
      expect((await guest.machine.run("rmmod dummy")).exitCode).not.toBe(0);
      expect(await dummy()).toBe("1000");
    });
    await step("the other, loaded later, runs as it was shipped, which verify tells", async () => {
      await guest.machine.loadModule("ifb");
      expect(await ifb()).toBe("0");
      const { findings } = JSON.parse((await guest.ksplice("", "verify", "--json", both)).stdout) as Verification;
      expect(findings).toMatchObject([{ unit: "ifb", kind: "part-missing" }]);
    });
  });

  it("bears a second one on what it has changed, and none on what it has not", async () => {
    await guest.mustRun("apply", onDummy);
    expect(await dummy()).toBe("2000");
    await expectRefusal("apply", [onIfb], "ifb");
    expect(await ifb()).toBe("0");
    await expectRefusal("undo", ["both"], "ondummy");
    await guest.mustRun("undo", "ondummy");
    expect(await dummy()).toBe("1000");
  });

  it("is taken back, and goes into both", async () => {
    await guest.mustRun("undo", "--unload", "both");
    expect(await dummy()).toBe("0");
    await guest.mustRun("apply", "--verify", both);
    expect([await dummy(), await ifb()]).toEqual(["1000", "1000"]);
    await guest.mustRun("apply", onIfb);
    expect(await ifb()).toBe("2000");
    await guest.mustRun("undo", "--unload", "onifb");
    await guest.mustRun("undo", "--unload", "both");
    expect([await dummy(), await ifb()]).toEqual(["0", "0"]);
    await guest.expectClean();
  });
});
