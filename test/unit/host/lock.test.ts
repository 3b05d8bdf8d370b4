import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { withKernelLock } from "../../../src/host/lock.js";

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
    message: expect.stringContaining("flock") as string,
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
