import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeCpio, type CpioEntry } from "../../../vm/cpio.js";

const entries: CpioEntry[] = [
  { kind: "directory", path: "bin" },
  { kind: "file", path: "bin/a", mode: 0o755, data: Buffer.from("odd") },
  { kind: "file", path: "empty", mode: 0o600, data: new Uint8Array(0) },
  { kind: "link", path: "bin/b", target: "a" },
  { kind: "character-device", path: "console", major: 5, minor: 1 },
];

test("every member starts with the magic number at a multiple of 4", () => {
  const archive = Buffer.from(writeCpio(entries));
  const magics = [...archive.toString("latin1").matchAll(/070701[0-9a-f]{104}/g)].map((match) => match.index);
  expect(magics).toHaveLength(entries.length + 1);
  expect(magics.every((offset) => offset % 4 === 0)).toBe(true);
  expect(archive.length % 4).toBe(0);
});

test("device numbers stand in the fields for them", () => {
  const archive = Buffer.from(writeCpio([{ kind: "character-device", path: "c", major: 5, minor: 1 }])).toString("latin1");
  const field = (index: number) => Number.parseInt(archive.slice(6 + index * 8, 14 + index * 8), 16);
  expect([field(1), field(9), field(10), field(11)]).toEqual([0o020600, 5, 1, 2]);
});

test("busybox unpacks what was packed", () => {
  const directory = mkdtempSync(join(tmpdir(), "ksplice-cpio-"));
  try {
    const input = writeCpio(entries.filter((entry) => entry.kind !== "character-device"));
    execFileSync("busybox", ["cpio", "-idm"], { cwd: directory, input, stdio: ["pipe", "ignore", "pipe"] });
    expect(readFileSync(join(directory, "bin/a"), "utf8")).toBe("odd");
    expect(statSync(join(directory, "bin/a")).mode & 0o777).toBe(0o755);
    expect(statSync(join(directory, "empty")).size).toBe(0);
    expect(readlinkSync(join(directory, "bin/b"))).toBe("a");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("the same entries give the same bytes", () => {
  expect(writeCpio(entries)).toEqual(writeCpio(entries));
});
