import { readdirSync, rmSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OwnKernel, ownKernel, type OwnKernelOptions } from "../../lab/own-kernel.js";
import { measureMatching } from "../../matrix/measure-matching.js";
import { tellNobody } from "../../src/events.js";
import { defaultCacheDir } from "../../src/host/cache-dir.js";
import type { Rehearsal } from "../../src/rehearse/rehearsal.js";
import { patchOfEdits } from "../support/edited-patch.js";
import { runHost } from "../support/run-host.js";
import type { Series } from "../vm/support/series.js";
import { testTree, UPTIME_FIX, Workshop } from "../vm/support/trees.js";

/** Kernels that the user has built in their source, which have, and lack, what kernels are configured with: prepared, matched, patched, and rehearsed. */

const yes = (...names: readonly string[]): string[] => names.map((name) => `CONFIG_${name}=y`);
const no = (...names: readonly string[]): string[] => names.map((name) => `# CONFIG_${name} is not set`);

interface Case extends OwnKernelOptions {
  readonly series: Series;
  /** Of so many units of it every function is compared. */
  readonly units: number;
}

const CASES: Readonly<Record<string, Case>> = {
  "small, without ftrace": { series: "6.1", units: 200 },
  "optimised for size, frame pointers, symbol versions, a table of functions only": {
    series: "6.1",
    units: 200,
    config: [
      ...yes("CC_OPTIMIZE_FOR_SIZE", "UNWINDER_FRAME_POINTER", "MODVERSIONS", "JUMP_LABEL"),
      ...no("CC_OPTIMIZE_FOR_PERFORMANCE", "UNWINDER_ORC", "KALLSYMS_ALL"),
    ],
  },
  "for real time, with ftrace, livepatch and IBT": {
    series: "6.12",
    units: 200,
    config: [
      ...yes("PREEMPT_RT", "FTRACE", "FUNCTION_TRACER", "DYNAMIC_FTRACE", "KPROBES", "LIVEPATCH", "JUMP_LABEL", "X86_KERNEL_IBT"),
      ...yes("CPU_MITIGATIONS", "MITIGATION_RETPOLINE", "MITIGATION_RETHUNK", "STRICT_KERNEL_RWX", "STRICT_MODULE_RWX", "MODVERSIONS"),
    ],
  },
  "of clang and its linker, with ftrace and IBT": {
    series: "6.12",
    units: 200,
    variables: ["LLVM=1"],
    config: [
      ...yes("FTRACE", "FUNCTION_TRACER", "DYNAMIC_FTRACE", "KPROBES", "JUMP_LABEL", "X86_KERNEL_IBT", "STRICT_KERNEL_RWX", "PREEMPT"),
      ...yes("CPU_MITIGATIONS", "MITIGATION_RETPOLINE", "DEBUG_INFO_DWARF5", "DEBUG_INFO_BTF", "BPF_SYSCALL"),
      ...no("DEBUG_INFO_NONE"),
    ],
  },
};

const workshop = new Workshop();
afterAll(() => {
  workshop.end();
});

/** The build, file by file: its own directory of ours aside. */
const stateOf = (tree: string): string[] =>
  readdirSync(tree, { recursive: true, encoding: "utf8" })
    .filter((path) => !path.startsWith("ksplice"))
    .map((path) => `${path} ${statSync(join(tree, path)).isDirectory() ? "" : statSync(join(tree, path)).mtimeMs}`)
    .sort();

describe.each(Object.entries(CASES))("a kernel that is %s", (_, { series, units, ...options }) => {
  let kernel: OwnKernel;

  beforeAll(async () => {
    kernel = await ownKernel((await testTree(series)).path, options);
    rmSync(join(kernel.tree, "ksplice"), { recursive: true, force: true });
  }, 7_200_000);

  it("is patched from the build as it lies, and the build stays as it is", async () => {
    const before = stateOf(kernel.tree);
    const prepared = await runHost("", ["prepare", "--build", kernel.tree]);
    expect(prepared, prepared.stderr).toMatchObject({ exitCode: 0 });
    const update = await workshop.create(kernel.tree, "own", patchOfEdits(kernel.tree, UPTIME_FIX));
    expect(stateOf(kernel.tree)).toEqual(before);

    const words = ["rehearse", update, "--tree", kernel.tree, "--probe", "cut -d' ' -f3 /proc/uptime", "--expose", workshop.dir, "--json"];
    const rehearsed = await runHost("", words);
    expect(rehearsed, rehearsed.stderr).toMatchObject({ exitCode: 0 });
    const result = JSON.parse(rehearsed.stdout) as Rehearsal;
    expect(result).toMatchObject({ release: kernel.release, failures: [], problems: [], leftovers: [], verification: { findings: [] } });
    expect(result.functions.map(({ name }) => name)).toEqual(["uptime_proc_show"]);
    const said = (["before", "applied", "undone"] as const).map((state) => result.probes?.[state].stdout.trim());
    expect(said).toEqual(["", "patched", ""]);
  });

  it(`runs the code of its source: all functions of ${units} units match`, async () => {
    const place = { cacheDir: defaultCacheDir(process.env), jobs: availableParallelism(), tell: tellNobody };
    const { functions, mismatches } = await measureMatching(kernel.tree, { ...place, units, seed: 1 });
    process.stdout.write(`      ${functions} functions\n`);
    expect(functions).toBeGreaterThan(500);
    expect(mismatches).toEqual([]);
  });
});
