import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { JudgePool } from "../../../corpus/judge-pool.js";
import type { JudgeSetup } from "../../../corpus/judge-process.js";

/** Processes that judge: the program in them is replaced. */

const SETUP: JudgeSetup = {
  set: { from: "1", to: "2", release: "3", fromTree: "/from", toTree: "/to" },
  found: { files: new Map(), pieces: [], fixes: [] },
  cacheDir: "/cache",
  mostUnits: undefined,
};

/** Answers with its process id and how many fixes there are; says that it cannot, ends, or waits for the next. */
const PROGRAM = `
let files;
let waiting = 0;
process.on("message", (message) => {
  if (message.set !== undefined) { files = message.found.files; return; }
  if (message.fix === "ends") process.exit(3);
  if (message.fix === "two at once") { waiting++; setTimeout(() => process.send(waiting > 1 ? { error: "two at once" } : (waiting--, {})), 200); return; }
  process.send(message.fix === "fine" && files instanceof Map ? {} : { error: "cannot judge " + message.fix });
});
process.on("disconnect", () => process.exit(0));
`;

let directory: string;
let program: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "ksplice-test-pool-"));
  program = join(directory, "judge.mjs");
  await writeFile(program, PROGRAM);
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

it("hands a fix to a process, which was given the set with its maps, and goes on after one that could not be judged", async () => {
  const pool = new JudgePool(SETUP, program);
  try {
    await expect(pool.judge({ fix: "odd" })).rejects.toThrow("cannot judge odd");
    await pool.judge({ fix: "fine" });
  } finally {
    pool.end();
  }
});

it("gives a process one fix at a time", async () => {
  const pool = new JudgePool(SETUP, program);
  try {
    await Promise.all(
      [1, 2, 3].map(async () => {
        await pool.judge({ fix: "two at once" });
      }),
    );
    await pool.judge({ fix: "two at once" });
  } finally {
    pool.end();
  }
});

it("tells of a process that ended over a fix, and starts another one", async () => {
  const pool = new JudgePool(SETUP, program);
  try {
    await expect(pool.judge({ fix: "ends" })).rejects.toThrow("the process that judged ends ended with 3");
    await pool.judge({ fix: "fine" });
  } finally {
    pool.end();
  }
});
