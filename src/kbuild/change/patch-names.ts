import { unsafePatchPath } from "./refusals.js";

/** Names of files as patches write them. Patches are read as latin1; a path is UTF-8. */

/** What stands behind `---` or `+++`. */
export interface RawName {
  /** Undefined for /dev/null. */
  readonly path: string | undefined;
  /** It says that there is no file of this name, on this side. */
  readonly isNone: boolean;
}

/** What stands behind `---` or `+++` in a patch. @param rest the line from there on */
export function readName(rest: string): RawName {
  // A time stamp follows a tab; git puts one behind a name with blanks, too.
  const [name = "", stamp = ""] = rest.startsWith('"') ? [rest.trimEnd()] : rest.split("\t");
  const path = unquoteName(name.trimEnd());
  if (path === "/dev/null" || path === "") return { path: undefined, isNone: true };
  return { path, isNone: isEpoch(stamp.trim()) };
}

function isEpoch(stamp: string): boolean {
  return /^\d{4}-\d\d-\d\d /.test(stamp) && Date.parse(stamp.replace(/^(\S+) ([\d:]+)(?:\.\d+)? ([+-]\d\d)(\d\d)$/, "$1T$2$3:$4")) === 0;
}

/** The two names behind `diff --git`. Where neither is quoted, only what else is known tells where the one ends. */
export function readGitNames(text: string, renamedFrom: string, renamedTo: string): { old: string; new: string } | undefined {
  const quoted = /^("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*")$|^("(?:[^"\\]|\\.)*") (\S.*)$/.exec(text);
  if (quoted !== null) return { old: unquoteName(quoted[1] ?? quoted[3] ?? ""), new: unquoteName(quoted[2] ?? quoted[4] ?? "") };
  const from = unquoteName(renamedFrom);
  const to = unquoteName(renamedTo);
  for (let at = text.indexOf(" "); at >= 0; at = text.indexOf(" ", at + 1)) {
    const names = { old: unquoteName(text.slice(0, at)), new: unquoteName(text.slice(at + 1)) };
    const fits = from === "" ? isSameFile(names.old, names.new) : endsIn(names.old, from) && endsIn(names.new, to);
    if (fits) return names;
  }
  return undefined;
}

/** Two names of one file, below two names of its tree, or without. */
function isSameFile(one: string, other: string): boolean {
  const [, oneRest] = /^[^/]*\/(.*)$/.exec(one) ?? [];
  const [, otherRest] = /^[^/]*\/(.*)$/.exec(other) ?? [];
  return one === other || (oneRest !== undefined && oneRest === otherRest);
}

const endsIn = (name: string, path: string): boolean => name === path || name.endsWith(`/${path}`);

const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 };

/** As git quotes names with unusual characters (quote.c, 2.39). */
function unquoteName(name: string): string {
  if (!name.startsWith('"') || !name.endsWith('"') || name.length < 2) return Buffer.from(name, "latin1").toString();
  const bytes = name
    .slice(1, -1)
    .replaceAll(/\\([0-7]{3}|.)/gs, (_, code: string) =>
      /^\d/.test(code) ? charOf(Number.parseInt(code, 8)) : charOf(ESCAPES[code], code),
    );
  return Buffer.from(bytes, "latin1").toString();
}

function charOf(code: number | undefined, otherwise = ""): string {
  return code === undefined ? otherwise : String.fromCharCode(code);
}

/** git's own pairs: `a/` and `b/`, or with diff.mnemonicPrefix what each side is. */
const PREFIXES = [["a", "b"], ["i", "w"], ["c", "i"], ["c", "w"], ["o", "w"]]; // prettier-ignore

/** True if both names begin with what git puts in front of them (a/, b/, or its mnemonics). */
export function isGitPrefixed(oldName: string | undefined, newName: string | undefined): boolean {
  const isBelow = (name: string | undefined, top: string | undefined): boolean => name?.startsWith(`${top ?? ""}/`) ?? true;
  return PREFIXES.some(([old, post]) => isBelow(oldName, old) && isBelow(newName, post));
}

/** @throws Refusal for a path that leaves the tree, or of which nothing is left */
export function stripName(name: string, strip: number): string {
  const parts = name.split(/\/+/);
  if (name.startsWith("/") && strip === 0) throw unsafePatchPath(name);
  const stripped = parts.slice(strip).filter((part) => part !== ".");
  if (parts.includes("..") || stripped.length === 0 || stripped.at(-1) === "" || name.includes("\0")) throw unsafePatchPath(name);
  return stripped.join("/");
}
