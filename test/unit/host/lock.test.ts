import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { stopIfInterrupted, withKernelLock } from "../../../src/host/lock.js";

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

it("Ctrl-C does not end the work, which stops by itself between its steps", async () => {
  // Other tests of this process may have left temporary directories, which a signal would remove.
  process.removeAllListeners("SIGINT");
  const steps: string[] = [];
  const work = withKernelLock(async (signal) => {
    await Promise.resolve(steps.push("loaded"));
    process.emit("SIGINT");
    try {
      stopIfInterrupted(signal);
      steps.push("applied");
    } finally {
      steps.push("unloaded");
    }
  }, dir);
  await expect(work).rejects.toMatchObject({ code: "interrupted", exitCode: 130 });
  expect(steps).toEqual(["loaded", "unloaded"]);
  expect(process.listenerCount("SIGINT")).toBe(0);
});
