import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findProblems } from "../../vm/console-log.js";
import { describeCore, UPDATES } from "../vm/support/core-machine.js";

/** Each step of the core's work, once for each allocation in it, and that one fails: the step is done or it is not, and then it works. */

const workDir = mkdtempSync(join(tmpdir(), "ksplice-memory-"));
afterAll(() => {
  rmSync(workDir, { recursive: true });
});

/** More allocations than any step makes. */
const MOST = 4000;

/** What the allocator and its callers say of memory that there is none of, with a trace of calls: that is what is asked of them here. */
const OUT_OF_MEMORY = /^.*(?:allocation failure|vmalloc error|failed to allocate)[^]*?<\/TASK>$/gm;

describeCore("memory that is short", ["debugging"], (core) => {
  beforeAll(async () => {
    const program = join(workDir, "fail-nth");
    const source = fileURLToPath(new URL("../vm/support/fail-nth.c", import.meta.url));
    execFileSync("gcc", ["-O1", "-static", "-o", program, source]);
    await core.machine.run("cat >/tmp/fail-nth; chmod +x /tmp/fail-nth", { input: readFileSync(program) });
    // Those that may wait for memory fail too, and nothing is printed of each.
    const settings = "echo N >$d/ignore-gfp-wait; echo 0 >$d/verbose; echo N >$d/ignore-gfp-highmem; echo 0 >$d/min-order";
    await core.machine.run(`for d in /sys/kernel/debug/failslab /sys/kernel/debug/fail_page_alloc; do ${settings}; done 2>/dev/null`);
  });

  /** One step with its Nth allocation failing. */
  async function failing(nth: number, step: string): Promise<{ failed: boolean; outcome: string }> {
    const { stdout, stderr, exitCode } = await core.machine.run(`/tmp/fail-nth ${nth} ${step}`);
    expect(exitCode, stderr).toBe(0);
    const [, word, outcome] = /^(failed|missed) (.*)\n$/.exec(stdout) ?? [];
    return { failed: word === "failed", outcome: outcome ?? stdout };
  }

  /** @param check that the outcome is true; and back to the state in which the step can be taken @returns how many allocations were made to fail */
  async function everyAllocation(step: string, check: (outcome: string) => Promise<void>): Promise<number> {
    for (let nth = 1; nth < MOST; nth++) {
      const { failed, outcome } = await failing(nth, step);
      await check(outcome);
      if (failed) continue;
      expect(outcome, `${step}, all memory there`).toBe("done");
      process.stdout.write(`      ${step.replace(/\/\S*\//g, "")}: ${nth - 1} allocations\n`);
      return nth - 1;
    }
    throw new Error(`${step} never ends`);
  }

  test("loading the core", async () => {
    expect(await core.unload("ksplice")).toBe("");
    const core_ = await core.loader.put("ksplice");
    const some = await everyAllocation(`load ${core_} stop_limit_us=1000000`, async (outcome) => {
      const there = (await core.machine.run(["test", "-e", UPDATES])).exitCode === 0;
      expect(there, outcome).toBe(outcome === "done");
      if (there) expect(await core.unload("ksplice")).toBe("");
    });
    expect(some).toBeGreaterThan(20);
    await core.load("ksplice", ["stop_limit_us=1000000"]);
  });

  test("loading an update", async () => {
    const file = await core.loader.put("kstest_first");
    const some = await everyAllocation(`load ${file} ${core.firstSizes()}`, async (outcome) => {
      const there = (await core.machine.run(["test", "-e", `${UPDATES}/first/stage`])).exitCode === 0;
      expect(there, outcome).toBe(outcome === "done");
      if (there) expect(await core.unload("kstest_first")).toBe("");
    });
    expect(some).toBeGreaterThan(20);
  });

  test("applying it, and taking it back", async () => {
    await core.loadFirst();
    const some = await everyAllocation(`write ${UPDATES}/first/stage applied`, async (outcome) => {
      const stage = await core.about("first", "stage");
      expect(stage, outcome).toBe(outcome === "done" ? "applied" : "loaded");
      expect(await core.answer()).toBe(outcome === "done" ? "100" : "1");
      if (outcome !== "done") return;
      expect(await core.request("first", "reversed")).toBe("done");
      expect(await core.unload("kstest_first")).toBe("");
      await core.loadFirst();
    });
    expect(some).toBeGreaterThan(2);
    expect(await core.request("first", "applied")).toBe("done");
    await everyAllocation(`write ${UPDATES}/first/stage reversed`, async (outcome) => {
      const stage = await core.about("first", "stage");
      expect(stage, outcome).toBe(outcome === "done" ? "reversed" : "applied");
      expect(await core.answer()).toBe(outcome === "done" ? "1" : "100");
      if (outcome === "done") expect(await core.request("first", "applied")).toBe("done");
    });
    expect(await core.request("first", "reversed")).toBe("done");
  });

  test("unloading it", async () => {
    await core.loadFirst();
    expect(await core.request("first", "applied")).toBe("done");
    expect(await core.request("first", "reversed")).toBe("done");
    await everyAllocation("unload kstest_first", async (outcome) => {
      const there = (await core.machine.run(["test", "-e", "/sys/module/kstest_first"])).exitCode === 0;
      expect(there, outcome).toBe(outcome !== "done");
      if (!there) await core.loadFirst();
    });
  });

  test("nothing else is complained of", async () => {
    const dmesg = (await core.machine.run(["dmesg"])).stdout.replace(/^\[ *[\d.]+\] /gm, "");
    expect(findProblems(dmesg.replace(OUT_OF_MEMORY, ""))).toEqual([]);
  });
});
