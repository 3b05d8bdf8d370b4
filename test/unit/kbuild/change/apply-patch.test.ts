import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Refusal } from "../../../../src/diagnostics.js";
import { readChange } from "../../../../src/kbuild/change/read-change.js";
import { drift, drifted, editedTree } from "../../../support/random-trees.js";
import { temporaryDirectory } from "../../../support/temp-dir.js";

/** Whatever a patch says, the files must come out as `git apply` and `patch` have them, or be refused. */

const RUNS = Number(process.env["KSPLICE_PATCH_RUNS"] ?? 20);
const place = temporaryDirectory();
/** Of one run. */
const trees: string[] = [];

/** So that neither a repository around nor the user's settings count. */
const ENV = { ...process.env, GIT_CEILING_DIRECTORIES: place, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", LC_ALL: "C" };

function writeTree(files: ReadonlyMap<string, string>): string {
  const top = mkdtempSync(join(place, "tree-"));
  trees.push(top);
  for (const [path, content] of files) {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), content, "latin1");
  }
  return top;
}

function removeTrees(): void {
  for (const top of trees.splice(0)) rmSync(top, { recursive: true });
}

function readTree(top: string): Map<string, string> {
  const entries = readdirSync(top, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [path.slice(top.length + 1), readFileSync(path, "latin1")]));
}

const sorted = (files: ReadonlyMap<string, string | undefined>): [string, string][] =>
  [...files].filter((entry): entry is [string, string] => entry[1] !== undefined).sort(([one], [other]) => (one < other ? -1 : 1));

/** What git says of two trees; latin1. */
function gitDiff(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>, options: readonly string[]): string {
  const top = writeTree(before);
  const git = (...words: string[]): string =>
    execFileSync("git", ["-C", top, "-c", "core.autocrlf=false", ...words], { env: ENV, encoding: "latin1" });
  git("init", "-q");
  git("add", "-A");
  for (const path of before.keys()) rmSync(join(top, path));
  for (const [path, content] of after) {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), content, "latin1");
  }
  const tree = git("write-tree").trim();
  git("add", "-A");
  return git("diff", "--cached", "--text", ...options, tree);
}

/** What a program makes of a tree; undefined where it refuses. */
function applied(
  files: ReadonlyMap<string, string>,
  patch: string,
  program: string,
  args: readonly string[],
): [string, string][] | undefined {
  const top = writeTree(files);
  const { status } = spawnSync(program, args, { cwd: top, env: ENV, input: Buffer.from(patch, "latin1") });
  return status === 0 ? sorted(readTree(top)) : undefined;
}

async function ours(files: ReadonlyMap<string, string>, patch: string, strip?: number): Promise<[string, string][] | Refusal> {
  const top = writeTree(files);
  try {
    const { files: changes } = await readChange(top, { patch, strip });
    expect(sorted(readTree(top)), "the tree stays as it is").toEqual(sorted(files));
    return sorted(new Map<string, string | undefined>([...files, ...changes]));
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

const form = fc.record({
  names: fc.constantFrom(
    ["-p1"],
    ["-p0", "--no-prefix"],
    ["-p2", "--src-prefix=a/linux/", "--dst-prefix=b/linux/"],
    ["-p1", "--src-prefix=i/", "--dst-prefix=w/"],
  ),
  renames: fc.constantFrom([], ["-M"], ["-M", "-C", "--find-copies-harder"], ["--no-renames"]),
  context: fc.constantFrom("-U3", "-U3", "-U1", "-U10"),
});

const optionsOf = ({
  names,
  renames,
  context,
}: {
  names: readonly string[];
  renames: readonly string[];
  context: string;
}): { strip: number; options: string[] } => ({
  strip: Number(names[0]?.slice(2)),
  options: [...names.slice(1), ...renames, context],
});

test("what git says of two trees makes the one of the other, as `git apply` and `patch` do", async () => {
  let refused = 0;
  let tried = 0;
  await fc.assert(
    fc.asyncProperty(editedTree, form, async ({ before, after }, how) => {
      const { strip, options } = optionsOf(how);
      const patch = gitDiff(before, after, options);
      fc.pre(patch !== "");
      tried++;
      const made = await ours(before, patch, strip);
      if (made instanceof Refusal) {
        refused++;
        expect(["ambiguous-hunk", "patch-does-not-apply"]).toContain(made.code);
        if (made.code === "patch-does-not-apply") expect(applied(before, patch, "patch", ["-f", "-F0", `-p${strip}`])).toBeUndefined();
        return;
      }
      expect(made).toEqual(sorted(after));
    }),
    { numRuns: RUNS, seed: 20261126, endOnFailure: true, plugins: [fc.afterEach(removeTrees)] },
  );
  expect(refused, "refused").toBeLessThan(tried / 5);
}, 600_000);

test("on a tree that differs: what `git apply` and `patch` make of it, where they agree, or a refusal", async () => {
  let accepted = 0;
  let without = 0;
  await fc.assert(
    fc.asyncProperty(editedTree, drift, form, async ({ before, after }, edits, how) => {
      const { strip, options } = optionsOf(how);
      const patch = gitDiff(before, after, options);
      fc.pre(patch !== "");
      const base = drifted(before, edits);
      const made = await ours(base, patch, strip);
      if (made instanceof Refusal) return;
      accepted++;
      // git wants more: no rename below a longer prefix, and context that ends with the file only where it did.
      const byGit = applied(base, patch, "git", ["apply", `-p${strip}`]);
      if (byGit !== undefined) expect(byGit).toEqual(made);
      else without++;
      expect(applied(base, patch, "patch", ["-f", "-F0", `-p${strip}`, "--no-backup-if-mismatch"])).toEqual(made);
    }),
    { numRuns: RUNS, seed: 20261126, endOnFailure: true, plugins: [fc.afterEach(removeTrees)] },
  );
  expect(accepted, "accepted").toBeGreaterThan(RUNS / 2);
  expect(without, "refused by git").toBeLessThan(accepted / 10);
}, 600_000);

test("without being told what to strip: the same, or a refusal", async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(editedTree, form, async ({ before, after }, how) => {
      const { options } = optionsOf(how);
      const patch = gitDiff(before, after, options);
      fc.pre(patch !== "");
      const made = await ours(before, patch);
      if (made instanceof Refusal) return;
      accepted++;
      expect(made).toEqual(sorted(after));
    }),
    { numRuns: RUNS, seed: 20261126, endOnFailure: true, plugins: [fc.afterEach(removeTrees)] },
  );
  expect(accepted, "accepted").toBeGreaterThan(RUNS / 3);
}, 600_000);
