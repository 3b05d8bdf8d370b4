import { codeWords, splitHead } from "../../src/source/top-level-items.js";
import type { SourceItem } from "./source-items.js";

export type NameKind = "function" | "prototype" | "macro" | "type" | "member" | "enumerator" | "object";

/** A name by which other code refers to an item, or to a part of it. */
export interface DeclaredName {
  readonly kind: NameKind;
  readonly name: string;
  /** Of a member: the type that it is in, as far as that has a name. */
  readonly tag?: string;
  /** Only code of the same file can mean it, or of one that includes it. */
  readonly isStatic: boolean;
  /** What is said of it, without blanks: the name changes its meaning where this does. A function's body is no part of it. */
  readonly said: string;
}

/** Words that stand before parentheses and name nothing that is declared. */
const NOT_A_NAME =
  /^(?:if|for|while|switch|return|sizeof|typeof|__typeof__|__attribute__|__aligned|__printf|__section|asm|__asm__|int|void)$/;

/** Macros that declare something, by the name that is their first argument. */
const DECLARING = /^(?:(?:COMPAT_)?SYSCALL_DEFINE\d|TRACE_EVENT\w*|(?:__)?(?:DEFINE|DECLARE)_\w+|LIST_HEAD|[A-Z]+_ATTR(?:_[A-Z]+)*)$/;
/** Those of them with the name behind a type or a template. */
const NAMED_SECOND = /PER_CPU|^DEFINE_EVENT|_KFIFO|_FLEX$/;

/** The names that the use of such a macro declares. */
function namesByMacro(macro: string, inside: string): string[] {
  if (!DECLARING.test(macro)) return [];
  const [first = "", second = ""] = inside.split(",").map((part) => [...codeWords(part)].at(-1) ?? "");
  const name = NAMED_SECOND.test(macro) ? second : first;
  if (!/^[A-Za-z_]/.test(name)) return [];
  return /^(?:TRACE|DEFINE)_EVENT/.test(macro) ? [name, `trace_${name}`] : [name];
}

/** `DEFINE_MUTEX(x)` is of the whole kernel; what has STATIC in its name, and what sysfs gets, is not. */
function isStaticByMacro(macro: string): boolean {
  return /ATTR|SHOW_ATTRIBUTE|_OPS$/.test(macro);
}

/** All names that an item declares. */
export function declaredBy(item: SourceItem): DeclaredName[] {
  const { kind, code } = item;
  if (kind === "include" || kind === "condition") return [];
  const macros = macrosOf(code);
  if (kind === "macro") return macros;
  const plain = code.replace(/^[ \t]*#(?:.*\\\n)*.*$/gm, "").trim();
  const isStatic = /\bstatic\b/.test(plain.slice(0, 200).replace(/[{=][^]*/, ""));
  if (kind === "function") return [...macros, ...functionNames(plain, isStatic)];
  if (kind === "type") return [...macros, ...typeNames(plain)];
  return [...macros, ...declarationNames(plain, isStatic)];
}

function macrosOf(code: string): DeclaredName[] {
  return Array.from(code.matchAll(/^[ \t]*#[ \t]*(?:define|undef)[ \t]+(\w+)((?:.*\\\n)*.*)$/gm), ([, name = "", text = ""]) => ({
    kind: "macro" as const,
    name,
    isStatic: true,
    said: wordsOf(text.replaceAll("\\\n", " ")),
  }));
}

/** Punctuation counts; blanks do not. */
function wordsOf(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/ ?(\W) ?/g, "$1")
    .trim();
}

function functionNames(code: string, isStatic: boolean): DeclaredName[] {
  const head = code.slice(0, code.indexOf("{"));
  const called = /^\s*([A-Z_][A-Z\d_]*\d?)\s*\(([^)]*)/.exec(head);
  if (called !== null)
    return namesByMacro(called[1] ?? "", called[2] ?? "").map((name) => ({ kind: "function", name, isStatic: true, said: wordsOf(head) }));
  const name = calledName(head);
  return name === undefined ? [] : [{ kind: "function", name, isStatic, said: wordsOf(head) }];
}

function calledName(head: string): string | undefined {
  const spaced = head
    .replace(/__(?:printf|scanf|aligned|section|must_hold|acquires|releases|attribute__)\s*\(+[^()]*\)+/g, " ")
    .replace(/\s+/g, " ");
  const name = splitHead(
    spaced
      .replace(/ ?\( ?/g, " ( ")
      .replace(/ ?\) ?/g, " ) ")
      .trim(),
  )?.name;
  return name === undefined || NOT_A_NAME.test(name) ? undefined : name;
}

function typeNames(code: string): DeclaredName[] {
  const open = code.indexOf("{");
  const close = code.lastIndexOf("}");
  const head = code.slice(0, open);
  const body = code.slice(open + 1, close < 0 ? code.length : close);
  const behind = Array.from(codeWords(code.slice(Math.max(open, close)).replace(/__\w+(?:\s*\([^;]*\))?/g, " ")));
  const tag = /\b(?:struct|union|enum)\s+(?:__\w+\s+)*(\w+)/.exec(head)?.[1];
  const name = tag ?? behind[0];
  const own: DeclaredName[] = [...(tag === undefined ? [] : [tag]), ...behind].map((each) => ({
    kind: "type",
    name: each,
    isStatic: true,
    said: wordsOf(head),
  }));
  const isEnum = /\benum\b/.test(head);
  return [...own, ...(isEnum ? enumeratorsOf(body) : membersOf(body, name))];
}

function enumeratorsOf(body: string): DeclaredName[] {
  return body.split(",").flatMap((text) => {
    const [, name, value = ""] = /^\s*(\w+)\s*(?:=\s*([^]*))?/.exec(text) ?? [];
    return name === undefined ? [] : [{ kind: "enumerator" as const, name, isStatic: true, said: wordsOf(value) }];
  });
}

/** Members at any depth: those of a nameless struct in it are used as its own. */
function membersOf(body: string, tag: string | undefined): DeclaredName[] {
  const names: DeclaredName[] = [];
  for (const text of body.split(/[;{}]/)) {
    const pointer = /\(\s*\*\s*(\w+)\s*\)\s*\(/.exec(text)?.[1];
    const parts = pointer === undefined ? text.split(",") : [];
    const plain = parts.map((part) => /(\w+)\s*(?:\[[^\]]*\]\s*)*(?::[^:]*)?(?:__\w+(?:\([^)]*\))?\s*)*$/.exec(part.trim())?.[1]);
    for (const name of [pointer, ...plain])
      if (name !== undefined && /^[A-Za-z_]/.test(name) && !/^(?:struct|union|enum|const|__packed)$/.test(name))
        names.push({ kind: "member", name, ...(tag === undefined ? {} : { tag }), isStatic: true, said: wordsOf(text) });
  }
  return names;
}

function declarationNames(code: string, isStatic: boolean): DeclaredName[] {
  const macro = /^\s*(?:static\s+)?([A-Z_][A-Z\d_]*)\s*\(([^]*)\)/.exec(code);
  if (macro !== null) {
    const [, name = "", inside = ""] = macro;
    return namesByMacro(name, inside).map((word) => ({
      kind: "object",
      name: word,
      isStatic: isStatic || isStaticByMacro(name),
      said: wordsOf(inside),
    }));
  }
  const head = code
    .replace(/=[^]*$/, "")
    .replace(/\{[^]*\}/, " ")
    .replace(/;\s*$/, "");
  if (/^\s*typedef\b/.test(head)) {
    const name = /\(\s*\*\s*(\w+)\s*\)/.exec(head)?.[1] ?? [...codeWords(head)].at(-1);
    return name === undefined ? [] : [{ kind: "type", name, isStatic: true, said: wordsOf(head) }];
  }
  if (/^\s*(?:struct|union|enum)\s+\w+\s*$/.test(head)) return [];
  if (head.includes("(") && !/\(\s*\*/.test(head.slice(0, head.indexOf("(") + 3))) {
    const name = calledName(head);
    return name === undefined ? [] : [{ kind: "prototype", name, isStatic, said: wordsOf(head.replace(/\bextern\b/, "")) }];
  }
  const name = /(\w+)\s*(?:\[[^\]]*\]\s*)*(?:__\w+(?:\([^)]*\))?\s*)*$/.exec(head.trim())?.[1] ?? /\(\s*\*\s*(\w+)/.exec(head)?.[1];
  return name === undefined || /^\d/.test(name) ? [] : [{ kind: "object", name, isStatic, said: wordsOf(head) }];
}
