/** One hunk as it stands in a unified diff. */
export interface PatchHunk {
  /** From the top of the tree: the patch's name without its first component. */
  readonly file: string;
  /** `@@ -1,2 +3,4 @@ what the tool took for the heading` */
  readonly header: string;
  /** With their marks. */
  readonly lines: readonly string[];
}

const HEADER = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/;

/** The hunks of a unified diff. How long each is its header says, so that no line of it is taken for the next file's name. */
export function findHunks(patch: string): PatchHunk[] {
  const hunks: { file: string; header: string; lines: string[] }[] = [];
  let [old, now] = ["", ""];
  let left = { old: 0, new: 0 };
  for (const line of patch.split("\n")) {
    const current = hunks.at(-1);
    if (current !== undefined && (left.old > 0 || left.new > 0 || line.startsWith("\\"))) {
      current.lines.push(line);
      if (!line.startsWith("+") && !line.startsWith("\\")) left.old--;
      if (!line.startsWith("-") && !line.startsWith("\\")) left.new--;
      continue;
    }
    const header = HEADER.exec(line);
    if (line.startsWith("--- ")) old = nameIn(line);
    else if (line.startsWith("+++ ")) now = nameIn(line);
    else if (header !== null) {
      left = { old: Number(header[1] ?? 1), new: Number(header[2] ?? 1) };
      hunks.push({ file: now === "/dev/null" ? old : now, header: line, lines: [] });
    }
  }
  return hunks;
}

/** A hunk shows a function if its heading or one of its lines has the function's name. */
export function isAbout(hunk: PatchHunk, name: string): boolean {
  const word = new RegExp(`(?<!\\w)${name.replaceAll(/[^\w]/g, String.raw`\$&`)}(?!\\w)`);
  return [hunk.header, ...hunk.lines].some((line) => word.test(line));
}

function nameIn(line: string): string {
  const name = line.slice(4).replace(/\t.*$/, "");
  return name === "/dev/null" ? name : name.slice(name.indexOf("/") + 1);
}
