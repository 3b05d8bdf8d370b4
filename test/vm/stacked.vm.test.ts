import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { patchedFiles, patchOfEdits } from "../support/edited-patch.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { RAW_FIX, testTree, Workshop, type TestTree } from "./support/trees.js";
import { step } from "./support/step.js";

/** An update on an update: the second is made from the source that holds the first, and replaces the same function. */

const workshop = new Workshop();
let guest: Guest;
let tree: TestTree;
let first: string;
let second: string;
let aside: string;
let probe: string;

beforeAll(async () => {
  tree = await testTree("6.1");
  const patch = patchOfEdits(tree.path, RAW_FIX);
  const patchedTree = await workshop.treeWith(tree, patchedFiles(tree.path, patch));
  first = await workshop.create(tree.path, "first", patch);
  const next = patchOfEdits(patchedTree, [{ file: "net/ipv4/raw.c", at: /err = -EINVAL;(?=\s*if \(iphlen > length)/, to: "err = -EDOM;" }]);
  second = await workshop.create(tree.path, "second", next, `--after=${first}`);
  aside = await workshop.createOfEdits(tree.path, "aside", [
    { file: "fs/proc/version.c", at: /utsname\(\)->sysname/, to: "utsname()->nodename" },
  ]);
  probe = await workshop.probe("raw-hdrincl");
  guest = await bootGuest(tree.path, { expose: [workshop.dir] });
});

afterAll(async () => {
  await guest.end();
  workshop.end();
});

const banner = () => guest.sh("cut -d' ' -f1 /proc/version");

describe("two updates of one function, and one of another", () => {
  it("one after the other, and back", async () => {
    await step("are applied in turn; the newest code runs", async () => {
      expect(await guest.sh(probe)).toBe("accepted");
      await guest.mustRun("apply", first);
      expect(await guest.sh(probe)).toBe("EINVAL");
      await guest.mustRun("apply", aside);
      await guest.mustRun("apply", second);
      expect(await guest.sh(probe)).toBe("EDOM");
      expect(await banner()).toBe("ksplice-vm");
    });

    await step("are listed, and the older one says by whom it is replaced", async () => {
      const list = await guest.mustRun("view", "--quiet");
      expect(list.stdout.trim().split("\n").sort()).toEqual(["aside", "first", "second"]);
      const one = JSON.parse((await guest.mustRun("view", "--id=first", "--json")).stdout) as Record<string, unknown>;
      expect(one).toMatchObject({ id: "first", stage: "applied", replacedBy: ["second"] });
    });

    await step("an update that is applied is not applied again", async () => {
      const result = await guest.ksplice("apply", "--raw-errors", second);
      expect(result).toMatchObject({ exitCode: 1 });
      expect(result.stderr).toContain("second is applied already");
      expect(await guest.sh(probe)).toBe("EDOM");
    });

    await step("the older one is not undone before the newer one, which the refusal names", async () => {
      const result = await guest.ksplice("undo", "first");
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain("first cannot be undone");
      expect(result.stderr).toContain("second");
      expect(await guest.sh(probe)).toBe("EDOM");
    });

    await step("one that has nothing to do with them is undone in between", async () => {
      const { stdout } = await guest.mustRun("undo", "aside");
      // Nothing can have kept an address of it.
      expect(stdout).not.toContain("stays");
      expect(await guest.sh("ls -d /sys/kernel/ksplice/aside /sys/module/ksplice_aside* 2>/dev/null || true")).toBe("");
      expect(await banner()).toBe("Linux");
      expect(await guest.sh(probe)).toBe("EDOM");
    });

    await step("are undone newest first, each giving back what was before it", async () => {
      await guest.mustRun("undo", "second");
      expect(await guest.sh(probe)).toBe("EINVAL");
      await guest.mustRun("undo", "first");
      expect(await guest.sh(probe)).toBe("accepted");
    });

    await step("an update that is not there cannot be undone", async () => {
      const result = await guest.ksplice("undo", "third");
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain("there is no update third in this kernel");
    });

    await step("leave nothing behind", async () => {
      await guest.expectClean();
    });
  });
});
