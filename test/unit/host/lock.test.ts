import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withKernelLock, withToolLock } from "../../../src/host/lock.js";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ksplice-lock-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

it("only one command at a time; the next one may follow", async () => {
  const order: string[] = [];
  await withKernelLock(async () => {
    order.push("first");
    await expect(withKernelLock(() => Promise.resolve(order.push("second")), dir)).rejects.toMatchObject({ code: "locked" });
  }, dir);
  await withKernelLock(() => Promise.resolve(order.push("third")), dir);
  expect(order).toEqual(["first", "third"]);
});

it("is given back when the work fails", async () => {
  await expect(withKernelLock(() => Promise.reject(new Error("no")), dir)).rejects.toThrow("no");
  await withKernelLock(() => Promise.resolve(), dir);
});

it("where the lock's file is none, that is said", async () => {
  symlinkSync(join(dir, "nowhere", "lock"), join(dir, "lock"));
  await expect(withKernelLock(() => Promise.resolve(), dir)).rejects.toMatchObject({
    code: "cannot-lock",
    message: expect.stringContaining("no such file or directory") as string,
  });
});

it("where the program that takes it is killed, that is said", async () => {
  const path = join(dir, "flock");
  writeFileSync(path, "#!/bin/sh\nkill -9 $$\n", { mode: 0o755 });
  const before = process.env["PATH"];
  process.env["PATH"] = dir;
  try {
    await expect(withKernelLock(() => Promise.resolve(), dir)).rejects.toMatchObject({
      code: "cannot-lock",
      message: expect.stringContaining("was killed") as string,
    });
  } finally {
    process.env["PATH"] = before;
  }
});

describe("a program that outlives the command that started it", () => {
  /** Goes on until it is told to end, with the lock in its hands; we no longer have it, as if we had been killed. */
  async function leaveBehind(): Promise<() => Promise<void>> {
    const program = await withToolLock((lock) => Promise.resolve(spawn("cat", { stdio: ["pipe", "ignore", "ignore", lock] })), dir);
    return async () => {
      program.stdin?.end();
      await once(program, "close");
    };
  }

  it("is waited for by the next command", async () => {
    const end = await leaveBehind();
    const order: string[] = [];
    const next = withKernelLock(() => Promise.resolve(order.push("next command")), dir);
    await setTimeout(200);
    order.push("ends");
    await end();
    await next;
    expect(order).toEqual(["ends", "next command"]);
  });

  it("is named where it takes too long", async () => {
    const end = await leaveBehind();
    const next = withKernelLock(() => Promise.resolve(), dir, 0.1);
    await expect(next).rejects.toMatchObject({ code: "locked", message: expect.stringContaining("insmod or rmmod") as string });
    await end();
  });

  it("is no hindrance to the command that started it once it is done", async () => {
    await withKernelLock(async () => {
      await withToolLock(() => Promise.resolve(), dir);
      await withToolLock(() => Promise.resolve(), dir);
    }, dir);
  });
});

it("what somebody who was killed held is free", async () => {
  // It locks as we do, and is killed in the midst of that.
  const script = 'exec 3>>"$0"; flock --nonblock 3; echo held; cat';
  const holder = spawn("sh", ["-c", script, join(dir, "lock")], { stdio: ["pipe", "pipe", "ignore"], detached: true });
  await once(holder.stdout, "data");
  await expect(withKernelLock(() => Promise.resolve(), dir)).rejects.toMatchObject({ code: "locked" });
  process.kill(-(holder.pid ?? 0), "SIGKILL");
  await once(holder, "close");
  await withKernelLock(() => Promise.resolve(), dir);
});
