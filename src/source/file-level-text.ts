import { readTopLevel, splitHead } from "./top-level-items.js";

/**
 * What a C source says outside of its functions, preprocessor lines everywhere included: where it is the same in two versions of a file, no type
 * of the file is defined differently. Comments and blanks do not count; a function that defines a type in itself counts whole.
 * @returns undefined where that cannot be told: a branch of an #if holds half a block
 */
export function fileLevelText(source: string): string | undefined {
  return readTopLevel(source)
    ?.flatMap(({ kind, head, body, directives }) => {
      if (kind === "function") return [...directives, ...whatCounts(head, body)];
      return kind === "declaration" && isPrototype(head) ? directives : [...directives, head];
    })
    .join("\n");
}

/** What of a function counts: nothing, if its head is of the usual kind and no type is defined in it. */
function whatCounts(head: string, body: string): string[] {
  if (/\b(?:struct|union|enum)\b[^;{}()]*\{/.test(body)) return [head, body];
  return isPlainHead(head) ? [] : [head];
}

const ATTRIBUTES_BEHIND = /^(?:__\w+(?: \( [^()]* \))? ?)*$/;

/** The declaration of a function: a type must stand before its name, or it could be the use of any macro. */
function isPrototype(text: string): boolean {
  if (!text.endsWith(" ;")) return false;
  const head = text.slice(0, -2);
  const types = (splitHead(head)?.before ?? "").split(" ").filter((word) => word !== "" && !STORAGE.test(word));
  return types.length > 0 && isPlainHead(head);
}

const STORAGE = /^(?:static|extern|inline|noinline|__\w+)$/;

/** A type and a name, or a macro for a system call: nothing that could define more than the function. */
function isPlainHead(head: string): boolean {
  const parts = splitHead(head);
  if (parts === undefined || head.includes("{")) return false;
  const isName = /^(?:COMPAT_)?SYSCALL_DEFINE\d$/.test(parts.name) || !/^[A-Z\d_]+$/.test(parts.name);
  return isName && /^[\w* ]*$/.test(parts.before) && ATTRIBUTES_BEHIND.test(parts.behind);
}
