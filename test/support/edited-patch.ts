import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** One edit of a source file: `text` goes behind (or in place of) the only match of `at`. */
export interface Edit {
  readonly file: string;
  readonly at: RegExp;
  /** What the match becomes; `$&` stands for the match itself. */
  readonly to: string;
}

/**
 * A patch that makes the edits, as `diff -u` would print it. So the tests hold no lines of the kernel's: only anchors.
 * @throws Error if an anchor matches not at all, or more than once
 */
export function patchOfEdits(tree: string, edits: readonly Edit[]): string {
  const texts = new Map<string, { before: string; after: string }>();
  for (const { file, at, to } of edits) {
    const before = texts.get(file)?.before ?? readFileSync(join(tree, file), "utf8");
    const current = texts.get(file)?.after ?? before;
    const matches = [...current.matchAll(new RegExp(at.source, at.flags.includes("g") ? at.flags : `${at.flags}g`))].length;
    if (matches !== 1) throw new Error(`${file}: ${at.source} matches ${matches} times`);
    texts.set(file, { before, after: current.replace(at, to) });
  }
  return [...texts].map(([file, { before, after }]) => unifiedDiff(file, before, after)).join("");
}

/** `diff -u` of two versions of a file, as `patch -p1` takes it. */
export function unifiedDiff(file: string, before: string, after: string): string {
  const dir = mkdtempSync(join(tmpdir(), "ksplice-edit-"));
  try {
    for (const [side, text] of [
      ["a", before],
      ["b", after],
    ] as const) {
      mkdirSync(dirname(join(dir, side, file)), { recursive: true });
      writeFileSync(join(dir, side, file), text);
    }
    const { stdout } = spawnSync(
      "diff",
      ["-u", "--label", `a/${file}`, "--label", `b/${file}`, join(dir, "a", file), join(dir, "b", file)],
      { encoding: "utf8" },
    );
    return stdout;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The texts of the files that a patch touches, after the patch. */
export function patchedFiles(tree: string, patch: string): Map<string, string> {
  const dir = mkdtempSync(join(tmpdir(), "ksplice-edit-"));
  try {
    const files = [...patch.matchAll(/^\+\+\+ b\/(\S+)/gm)].map((match) => match[1] ?? "");
    for (const file of files) {
      mkdirSync(dirname(join(dir, file)), { recursive: true });
      writeFileSync(join(dir, file), readFileSync(join(tree, file)));
    }
    execFileSync("patch", ["-p1", "-s", "-d", dir], { input: patch });
    return new Map(files.map((file) => [file, readFileSync(join(dir, file), "latin1")]));
  } finally {
    rmSync(dir, { recursive: true });
  }
}
