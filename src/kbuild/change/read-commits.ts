import { Refusal } from "../../diagnostics.js";
import { requireProgram } from "../../host/refusals.js";
import { runTool } from "../../host/run-tool.js";
import type { NamedPatch } from "./apply-patch.js";
import { commitChangesNothing, emptyRange, gitFailed, mergeCommit, noParent, noSuchCommit, notARange } from "./refusals.js";

export interface CommitPatch extends NamedPatch {
  /** The commit's own. */
  readonly message: string;
  readonly committed: Date;
}

export interface CommitChoice {
  /** A commit, or a range `A..B`: what is in B and not in A, oldest first. */
  readonly git: string;
  /** The repository. Default: the one that the source is in. */
  readonly gitDir?: string | undefined;
}

/**
 * The changes that commits make to a source tree, as patches. Where the tree is a directory within a repository's, those to that directory.
 * Neither the repository nor the tree is changed.
 * @throws Refusal where there is no such commit, or one has no single parent, or changes nothing
 */
export async function readCommits(source: string, { git, gitDir }: CommitChoice): Promise<CommitPatch[]> {
  const run = async (...args: string[]): Promise<string> => {
    const place = gitDir === undefined ? [] : [`--git-dir=${gitDir}`, "--work-tree=."];
    const result = await runTool("git", ["-C", source, ...place, "-c", "core.quotePath=true", ...args], { encoding: "latin1" });
    if (result.notFound) throw requireProgram("git", "git");
    if (result.exitCode !== 0) throw gitFailed(gitDir ?? source, result.stderr.trim());
    return result.stdout;
  };
  await run("rev-parse", "--git-dir");
  const commits = await listCommits(git, run);
  const patches: CommitPatch[] = [];
  for (const { hash, parents } of commits) {
    const name = await nameCommit(hash, run);
    const [parent, ...others] = parents;
    if (parent === undefined) throw noParent(name);
    if (others.length > 0) throw mergeCommit(name);
    patches.push({ name, strip: 1, ...(await readCommit(hash, parent, run)) });
  }
  if (patches.every(({ text }) => text === "")) throw commitChangesNothing(git, source);
  return patches.filter(({ text }) => text !== "");
}

type RunGit = (...args: string[]) => Promise<string>;

interface Commit {
  readonly hash: string;
  readonly parents: readonly string[];
}

async function listCommits(words: string, run: RunGit): Promise<Commit[]> {
  const ends = words.split("..");
  if (ends.length > 2 || words.includes("...")) throw notARange(words);
  const hashes: string[] = [];
  for (const end of ends) {
    // An end that is left out is HEAD, as for git.
    const name = end === "" && ends.length > 1 ? "HEAD" : end;
    const found = await run("rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`).catch((error: unknown) => {
      throw error instanceof Refusal && error.code === "git-failed" ? noSuchCommit(name) : error;
    });
    hashes.push(found.trim());
  }
  const [first = "", last] = hashes;
  const range = last === undefined ? ["--no-walk", first] : [`${first}..${last}`];
  const listed = await run("rev-list", "--reverse", "--topo-order", "--parents", ...range, "--");
  const commits = listed.split("\n").filter((line) => line !== "");
  if (commits.length === 0) throw emptyRange(words);
  return commits.map((line) => {
    const [hash = "", ...parents] = line.split(" ");
    return { hash, parents };
  });
}

async function nameCommit(hash: string, run: RunGit): Promise<string> {
  const line = await run("show", "-s", "--no-show-signature", "--format=%h (%s)", hash, "--");
  return `commit ${Buffer.from(line.trim(), "latin1").toString()}`;
}

/** Settings of the user's that change how differences are written are those of `git diff`; plumbing has none. */
async function readCommit(hash: string, parent: string, run: RunGit): Promise<{ text: string; message: string; committed: Date }> {
  const text = await run(
    ...["diff-tree", "-p", "-M", "--full-index", "--relative", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=none"],
    ...["--src-prefix=a/", "--dst-prefix=b/", parent, hash, "--"],
  );
  const shown = await run("show", "-s", "--no-show-signature", "--encoding=UTF-8", "--format=%ct%n%B", hash, "--");
  const [seconds = "0", ...lines] = shown.split("\n");
  const message = Buffer.from(lines.join("\n"), "latin1").toString();
  return { text, message, committed: new Date(Number(seconds) * 1000) };
}
