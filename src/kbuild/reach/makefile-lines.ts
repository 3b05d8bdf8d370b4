/** Variables by which kbuild lists objects, and gives flags to compiling them (Documentation/kbuild/makefiles.rst, Linux 6.1). What they do shows in what kbuild tells. */
const LISTS = /^(?:obj|lib|[\w.-]+)-(?:y|m|objs|n|\$\(\w+(?::\w+=\w+)?\))\s*(?:[:+?]?=)/;
const FLAGS = /^(?:(?:subdir-)?(?:cc|as)flags-(?:y|\$\(\w+\))|(?:[CA]FLAGS(?:_REMOVE)?_[\w./-]+\.o))\s*(?:[:+?]?=)/;
/** Lists of the same form that mean something else: programs that run while the kernel is built, links, headers. */
const OTHERS =
  /^(?:extra|always|hostprogs|userprogs|targets|ldflags|clean|no-clean|dtb|dtbo|subdir|header|generic|generated|mandatory|syscall|head|core|libs|drivers|net)-/;
const CONDITION = /^(?:ifn?eq\b|ifn?def\b|else\b|endif\b)/;

/**
 * A line of a makefile that a change adds or takes away and that is more than a list of objects, flags for compiling, a condition or a comment.
 * @returns undefined where there is none: kbuild's answers then say all that the change does
 */
export function changesOnlyLists(pre: string, post: string): string | undefined {
  const [before, after] = [logicalLines(pre), logicalLines(post)];
  const [kept, had] = [new Set(after), new Set(before)];
  return [...before.filter((line) => !kept.has(line)), ...after.filter((line) => !had.has(line))].find((line) => !isHarmless(line));
}

function isHarmless(line: string): boolean {
  // A tab begins a recipe.
  if (line.startsWith("\t")) return line.trim() === "";
  const text = line.trim();
  if (text === "" || text.startsWith("#") || CONDITION.test(text)) return true;
  // What calls a shell, or a function of its own, may do anything.
  if (/\$\((?:shell|eval|call|file|error|warning|info)\b/.test(text)) return false;
  return FLAGS.test(text) || (LISTS.test(text) && !OTHERS.test(text));
}

function logicalLines(text: string): string[] {
  return text.replaceAll(/\\\n\s*/g, " ").split("\n");
}
