import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandLine } from "../../src/host/program-paths.js";
import { bootGuest, type Guest } from "../vm/support/guest.js";
import type { CommandResult } from "../../vm/machine.js";
import { RAW_FIX, testTree, Workshop } from "../vm/support/trees.js";

/** Commands that are killed between any two of their steps, or find the disk full: the next command works. */

const ID = "killed";
const STAGE = `/sys/kernel/ksplice/${ID}/stage`;
const workshop = new Workshop();
let guest: Guest;
let update: string;

beforeAll(async () => {
  const tree = await testTree("6.1");
  update = await workshop.createOfEdits(tree.path, ID, RAW_FIX);
  guest = await bootGuest(tree.path, { expose: [workshop.dir], memoryMiB: 1536 });
});

afterAll(async () => {
  await guest.end();
  workshop.end();
});

/** Calls that change something outside of the process: files and directories, programs that are started and ended. */
const STEPS = "mkdir,rmdir,unlink,rename,link,symlink,chmod,fchmod,ftruncate,flock,vfork,wait4,waitid";
/** And what is done with the core's file. */
const SWITCH = "openat,write,close";

interface Trace {
  readonly calls: string;
  /** Only those that concern this file. */
  readonly path?: string;
}

/** One call of a command: the nth of its kind that one of the threads makes. */
interface Step {
  readonly call: string;
  readonly nth: number;
}

async function traced({ path }: Trace, options: readonly string[], name: string, args: readonly string[]): Promise<CommandResult> {
  const filter = path === undefined ? [] : ["-P", path];
  const command = [...commandLine(name), "--stop-limit=1000", ...args];
  return await guest.machine.run(["strace", "-f", "-qq", ...filter, ...options, ...command], { timeoutMs: 300_000 });
}

/** Runs a command to its end, and says which steps it took. strace counts each thread's calls for itself, and so does this. */
async function findSteps(trace: Trace, name: string, args: readonly string[]): Promise<Step[]> {
  const result = await traced(trace, ["-e", `trace=${trace.calls}`, "-o", "/tmp/trace"], name, args);
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  const counts = new Map<string, number>();
  const most = new Map<string, number>();
  for (const [, thread = "", call = ""] of (await guest.sh("cat /tmp/trace")).matchAll(/^(\d+) +(\w+)\(/gm)) {
    const key = `${thread} ${call}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    most.set(call, Math.max(most.get(call) ?? 0, count));
  }
  return [...most].flatMap(([call, count]) => Array.from({ length: count }, (_, index) => ({ call, nth: index + 1 })));
}

/**
 * Runs a command that is killed when it comes to a step, before it takes it; or a program that it has started is, and then it must say so. Threads differ from
 * run to run: it may not come to it.
 */
async function killedAt(trace: Trace, { call, nth }: Step, name: string, args: readonly string[]): Promise<boolean> {
  const injection = ["-e", `trace=${call}`, "-e", `inject=${call}:signal=KILL:when=${nth}`, "-o", "/dev/null"];
  const { exitCode, stderr } = await traced(trace, injection, name, args);
  expect([0, 1, 137], stderr).toContain(exitCode);
  return exitCode !== 0;
}

async function isApplied(): Promise<boolean> {
  const { stdout, exitCode } = await guest.ksplice("view", "--json");
  expect(exitCode).toBe(0);
  return (JSON.parse(stdout) as { id: string; stage: string }[]).some(({ id, stage }) => id === ID && stage === "applied");
}

/** With all that it has loaded gone, so that the next apply takes all of its steps. Nothing of this update is anywhere else. */
async function undone(): Promise<void> {
  await guest.mustRun("undo", "--unload", ID);
  await guest.expectClean();
}

/** Takes a command through, and then kills it at each of the steps that it has taken. @param after each time, brings all back to where it was before. @returns how often it was killed */
async function atEachStep(trace: Trace, name: string, args: readonly string[], after: () => Promise<void>): Promise<number> {
  const steps = await findSteps(trace, name, args);
  await after();
  let killed = 0;
  for (const step of steps) {
    if (await killedAt(trace, step, name, args)) killed++;
    await after();
  }
  process.stdout.write(`      ${name}: killed at ${killed} of ${steps.length} steps\n`);
  return killed;
}

const TRACES: readonly (readonly [what: string, trace: Trace, atLeast: number])[] = [
  ["files, directories and programs", { calls: STEPS }, 5],
  ["the switch", { calls: SWITCH, path: STAGE }, 3],
];

describe.each(TRACES)("killed between its steps: %s", (_, trace, atLeast) => {
  it("an apply", async () => {
    const killed = await atEachStep(trace, "apply", [update], async () => {
      if (!(await isApplied())) await guest.mustRun("apply", update);
      expect(await isApplied()).toBe(true);
      await undone();
    });
    expect(killed).toBeGreaterThanOrEqual(atLeast);
  });

  it("an undo", async () => {
    await guest.mustRun("apply", update);
    const killed = await atEachStep(trace, "undo", ["--unload", ID], async () => {
      // Nobody knows how far it came; a second one brings it to its end.
      if (await isApplied()) await undone();
      await guest.mustRun("apply", update);
    });
    expect(killed).toBeGreaterThanOrEqual(atLeast);
    await undone();
  });
});

describe("with no room for a file", () => {
  const fill = () =>
    guest.sh(
      "fallocate -l $(($(stat -f -c '%a * %S' /run))) /run/filler; cat /run/filler >/run/rest 2>/dev/null; [ $(stat -f -c %a /run) = 0 ]",
    );
  const empty = () => guest.sh("rm /run/filler /run/rest");

  it("an apply says so, changes nothing, and works afterwards", async () => {
    await fill();
    const refused = await guest.ksplice("apply", update);
    await empty();
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/cannot be put where insmod loads it from: no space is left on the device/);
    await guest.expectClean();
    await guest.mustRun("apply", update);
    await undone();
  });

  it("an undo needs none", async () => {
    await guest.mustRun("apply", update);
    await fill();
    await guest.mustRun("undo", "--unload", ID);
    await empty();
    await guest.expectClean();
  });
});
