import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { drawLinePlot } from "../../bench/plot/line-plot.js";
import { Crowd } from "../vm/support/crowd.js";
import { describeCore, VICTIM } from "../vm/support/core-machine.js";
import { markdownTable, median, thousands, writeFigures, writePlot } from "./support/figures.js";
import type { Series } from "../vm/support/series.js";

/**
 * How long the machine stands still, and what a call through a trampoline costs, in instructions: the guest's clock counts them. Times of an emulated
 * machine would tell of the emulator.
 */

const THREADS = [50, 500, 2000, 10_000] as const;
const FUNCTIONS = [1, 10, 100, 1000] as const;
const RUNS = 3;
/** Of kstest_victim's `cost`. */
const CALLS = 1000;

const workDir = mkdtempSync(join(tmpdir(), "ksplice-stop-length-"));
afterAll(() => {
  rmSync(workDir, { recursive: true });
});

interface Cell {
  /** Those of the machine itself among them. */
  readonly threads: number;
  readonly functions: number;
  readonly apply: number;
  readonly undo: number;
}

const describeCosts = (series: Series): void => {
  describeCore(
    "what the kernel core costs",
    [series],
    (core) => {
      let crowd: Crowd;
      const cells: Cell[] = [];
      beforeAll(async () => {
        crowd = await Crowd.load(core, workDir);
      });

      async function measure(threads: number, functions: number): Promise<Cell> {
        await crowd.loadMany(functions);
        const { applied, reversed } = await crowd.rounds(RUNS, functions);
        await crowd.unloadMany();
        return { threads, functions, apply: median(applied), undo: median(reversed) };
      }

      test.each(THREADS)("the stop with %i threads", async (asked) => {
        const threads = await crowd.threads.start(asked);
        expect(threads).toBeGreaterThan(asked);
        for (const functions of FUNCTIONS) cells.push(await measure(threads, functions));
      });

      test("the stop grows with the threads, and hardly with the functions", () => {
        const rows = FUNCTIONS.map((functions) => cells.filter((cell) => cell.functions === functions));
        const counts = rows[0]?.map(({ threads }) => threads) ?? [];
        expect(counts).toHaveLength(THREADS.length);
        for (const way of ["apply", "undo"] as const) {
          writeFigures(
            `stop ${series} ${way}`,
            markdownTable(
              ["functions", ...counts.map((count) => `${count} threads`)],
              rows.map((row, index) => [String(FUNCTIONS[index]), ...row.map((cell) => thousands(cell[way]))]),
            ),
          );
          for (const row of rows) {
            const [few, many] = [row[0], row.at(-1)];
            if (few === undefined || many === undefined) throw new Error("a row is empty");
            // Not more than in proportion: each thread costs the same.
            expect(many[way] / few[way]).toBeLessThan((1.5 * many.threads) / few.threads);
          }
          const [one, thousand] = [rows[0]?.at(-1)?.[way] ?? Number.NaN, rows.at(-1)?.at(-1)?.[way] ?? Number.NaN];
          // A thousand times as many: the spans are searched, not walked.
          expect(thousand / one).toBeLessThan(5);
        }
        writePlot(
          `stop-${series}.svg`,
          drawLinePlot({
            title: `The stop to apply, kernel ${series}`,
            xTitle: "threads",
            yTitle: "instructions",
            lines: FUNCTIONS.map((functions, index) => ({
              name: functions === 1 ? "1 function" : `${functions} functions`,
              points: (rows[index] ?? []).map(({ threads, apply }): [number, number] => [threads, apply]),
            })),
          }),
        );
      });

      test("a call, and a livepatch beside", async () => {
        const cost = async () => {
          const runs: number[] = [];
          for (let run = 0; run < RUNS; run++) runs.push(Number(await core.read(`${VICTIM}/cost`)));
          return median(runs) / CALLS;
        };
        const threads = await crowd.threads.start(2000);
        const unpatched = await cost();
        const redirected = async (parameters: readonly string[]) => {
          await core.loadFirst(parameters);
          expect(await core.request("first", "applied")).toBe("done");
          expect(await core.answer()).toBe("100");
          const call = await cost();
          const stop = Number(await core.about("first", "stop_ns"));
          expect(await core.request("first", "reversed")).toBe("done");
          expect(await core.unload("kstest_first")).toBe("");
          return { call, stop };
        };
        const trampoline = await redirected([]);
        const byFtrace = await redirected(["by_ftrace=1"]);
        const transition = await core.livepatch();
        expect(await core.answer()).toBe("7");
        const livepatch = await cost();
        await core.endLivepatch();
        crowd.threads.end();
        const row = (what: string, call: number, time: string) => [what, (call - unpatched).toFixed(1), time];
        writeFigures(
          `calls ${series}`,
          markdownTable(
            ["redirected by", "instructions a call costs more", `switched, with ${threads} threads`],
            [
              row("a trampoline", trampoline.call, `all stand still for ${thousands(trampoline.stop)} instructions`),
              row("ftrace, where there is no place for one", byFtrace.call, `all stand still for ${thousands(byFtrace.stop)} instructions`),
              row("a livepatch", livepatch, `none stands still; in transition for ${(transition * 1e3).toFixed(0)} ms`),
            ],
          ),
        );
        // A jump, with what the compiler has put before the new code.
        expect(trampoline.call - unpatched).toBeLessThan(4);
        expect(trampoline.call).toBeLessThan(livepatch);
        // The same way through ftrace, and less behind it.
        expect(byFtrace.call).toBeLessThan(1.2 * livepatch);
      });

      test("the kernel has nothing to complain about", async () => {
        expect(await core.machine.problems()).toEqual([]);
      });
    },
    { cpus: 2, memoryMiB: 2048, countInstructions: true, bootTimeoutMs: 600_000 },
  );
};

// 6.1 does not boot with a clock that counts instructions: it was given ten minutes.
describeCosts("6.12");
