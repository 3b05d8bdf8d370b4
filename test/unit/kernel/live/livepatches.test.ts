import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readLivepatchedFunctions } from "../../../../src/kernel/live/livepatches.js";
import { checkLivepatches } from "../../../../src/update/prelink/check-livepatches.js";
import { kernelWith, match, NEWEST, symbol, target } from "../../../support/prelink-samples.js";

describe("functions that a livepatch of the kernel's own replaces", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "ksplice-livepatch-"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  const livepatch = (...path: string[]): void => {
    mkdirSync(join(root, "sys/kernel/livepatch", ...path), { recursive: true });
  };
  const check = (): void => {
    const matches = new Map([["a.o vmlinux", match()]]);
    checkLivepatches({ targets: [target()], matches }, kernelWith([symbol("foo", NEWEST)]), readLivepatchedFunctions(root));
  };

  it("are listed, with what replaces them", () => {
    expect(readLivepatchedFunctions(root)).toEqual([]);
    livepatch("lp", "vmlinux", "foo,1");
    livepatch("lp", "ext4", "bar.isra.0,2");
    expect(readLivepatchedFunctions(root)).toEqual([
      { patch: "lp", target: "ext4", name: "bar.isra.0" },
      { patch: "lp", target: "vmlinux", name: "foo" },
    ]);
  });

  it("do not pass for none where they cannot be read", () => {
    mkdirSync(join(root, "sys/kernel"), { recursive: true });
    symlinkSync("livepatch", join(root, "sys/kernel/livepatch"));
    expect(() => readLivepatchedFunctions(root)).toThrow("ELOOP");
  });

  it("are not replaced once more", () => {
    livepatch("lp", "vmlinux", "foo,1");
    expect(check).toThrow("foo is replaced by the kernel livepatch lp");
  });

  it("leave others alone, also those of another module by that name", () => {
    livepatch("lp", "vmlinux", "bar,1");
    livepatch("lp", "ext4", "foo,1");
    expect(check).not.toThrow();
  });
});
