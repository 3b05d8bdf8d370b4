/** Names that the system call macros make of the one in the source (arch/x86/include/asm/syscall_wrapper.h, Linux 6.1). */
const SYSCALL_NAME = /^(?:__do_|__se_|__x64_|__ia32_)(?:compat_)?sys_(\w+)$/;

/**
 * The line on which a source file defines a function or datum, from 1; undefined where it does not, or a macro hides it. Found in the text: a
 * definition of the file starts in the first column, a static local with the word `static`.
 * @param name without what compilers add to it
 */
export function findDefinition(source: string, name: string): number | undefined {
  const patterns = definitionPatterns(name);
  const lines = source.split("\n");
  for (const pattern of patterns) {
    const index = lines.findIndex((line, at) => pattern.test(line) && !isDeclaration(lines, at));
    if (index >= 0) return index + 1;
  }
  return undefined;
}

function definitionPatterns(name: string): RegExp[] {
  const escaped = name.replace(/[^\w]/g, "\\$&");
  const call = SYSCALL_NAME.exec(name)?.[1];
  return [
    ...(call === undefined ? [] : [new RegExp(`^(?:COMPAT_)?SYSCALL_DEFINE\\d\\(\\s*${call}\\b`)]),
    // A function, its type before it or on the line above.
    new RegExp(`^(?!return\\b|else\\b|#)(?:[A-Za-z_][\\w \\t*()]*[ \\t*])?${escaped}\\s*\\(`),
    // A datum of the file, or one that a macro such as DEFINE_MUTEX(name) makes.
    new RegExp(`^[A-Za-z_][^=;(#]*[ \\t*]${escaped}\\s*(?:\\[[^;]*|__\\w+.*)?\\s*(?:=|;)`),
    new RegExp(`^(?:static\\s+)?[A-Z_]+\\([^)]*\\b${escaped}\\b`),
    new RegExp(`^\\s+static\\b.*\\b${escaped}\\b`),
  ];
}

/**
 * The line, from 1, on which a source file defines a type.
 * @param label `struct foo`; `foo_t` for a typedef of a nameless struct; `enum {FIRST, …}` for a nameless enum
 */
export function findTypeDefinition(source: string, label: string): number | undefined {
  const pattern = typePattern(label);
  const lines = source.split("\n");
  const index = lines.findIndex((line, at) => {
    if (/^\s*(?:\/?\*|\/\/|#)/.test(line)) return false;
    // The brace may stand on the next line.
    const start = pattern.exec(`${line}\n${lines[at + 1] ?? ""}`)?.index;
    return start !== undefined && start <= line.length;
  });
  return index < 0 ? undefined : index + 1;
}

function typePattern(label: string): RegExp {
  const [, keyword, tag] = /^(struct|union|enum) (\w+)$/.exec(label) ?? [];
  if (keyword !== undefined && tag !== undefined)
    return new RegExp(`\\b${keyword}\\s+(?:__\\w+(?:\\([^;{]*\\))?\\s+)*${tag}(?:\\s+[\\w(), ]+)?\\s*\\{`);
  const constant = /^enum \{(\w+), …\}$/.exec(label)?.[1];
  if (constant !== undefined) return new RegExp(`(?:^|[{,])\\s*${constant}\\s*(?:[,=}]|$)`, "m");
  return new RegExp(`^\\s*\\}[^;]*\\b${label.replace(/\W/g, "\\$&")}\\b`);
}

/** True for a prototype: its parentheses are followed by a semicolon before any brace. */
function isDeclaration(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? "";
  if (/^extern\b/.test(line)) return true;
  if (!line.includes("(") || line.includes("=") || /^\s+static\b/.test(line)) return false;
  const text = lines.slice(at, at + 12).join("\n");
  const end = text.search(/[;{]/);
  return end >= 0 && text[end] === ";" && !/^(?:static\s+)?[A-Z_]+\(/.test(line);
}
