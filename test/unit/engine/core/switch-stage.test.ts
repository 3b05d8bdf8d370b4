import { describe, expect, it } from "vitest";
import { pausesOf } from "../../../../src/engine/core/switch-stage.js";
import { codeBusy } from "../../../../src/engine/core/refusals.js";

describe("how long the core is asked", () => {
  it("is so often, a second apart", () => {
    expect([...pausesOf({ tries: 3 })]).toEqual([
      { ms: 1000, left: "try 1 of 3" },
      { ms: 1000, left: "try 2 of 3" },
    ]);
    expect([...pausesOf({ tries: 1 })]).toEqual([]);
  });

  it("is until a time is over, at first more often", () => {
    let now = 0;
    const pauses: number[] = [];
    for (const { ms } of pausesOf({ tries: 1, wait: 10 }, () => now)) {
      pauses.push(ms);
      now += ms + 10;
    }
    expect(pauses.slice(0, 7)).toEqual([50, 100, 200, 400, 800, 1600, 2000]);
    expect(Math.max(...pauses)).toBe(2000);
    expect(now).toBeGreaterThanOrEqual(10_000);
    expect(now).toBeLessThan(10_100);
  });
});

describe("code that is busy", () => {
  const program = { task: "cat", pid: 7, function: "f", waitChannel: "do_wait" };
  const thread = { task: "kswapd0", pid: 8, function: "f", isKernelThread: true };

  it("is told with who is in it, and where they sleep", () => {
    const { message } = codeBusy("id", "applied", 2, [program, thread]);
    expect(message).toContain("in use at each of 2 tries");
    expect(message).toContain("\n  cat (pid 7) is inside f, asleep in do_wait");
    expect(message).toContain("\n  kswapd0 (thread of the kernel, pid 8) is inside f");
  });

  it.each([
    ["a program", "applied", [program], false, /^wake these programs with --nudge, .*--wait.*, or .*--allow-busy/],
    ["a program that was woken", "applied", [program], true, /^stop these programs, .*--wait.*, or .*--allow-busy/],
    ["a thread of the kernel", "applied", [thread], false, /^stop these programs/],
    ["a program, on undo", "undone", [program], false, /--nudge, or give it more time with --wait=SECONDS$/],
  ] as const)("by %s, %s: says what can be done", (_, verb, conflicts, nudged, hint) => {
    expect(codeBusy("id", verb, 1, conflicts, nudged).hint).toMatch(hint);
  });
});
