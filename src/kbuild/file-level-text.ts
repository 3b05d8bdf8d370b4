/** Comments, strings, character constants, continuations, line ends, punctuation that matters, words, blanks, and everything else by characters. */
const TOKEN = /\/\*[^]*?(?:\*\/|$)|\/\/(?:\\\n|[^\n])*|"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?|\\\n|\n|\w+|[^\S\n]+|[^]/g;

/** Where the reader of a source is. */
interface Place {
  readonly braces: number;
  readonly parentheses: number;
  readonly inFunction: boolean;
}

/**
 * What a C source says outside of its functions, preprocessor lines everywhere included: where it is the same in two versions of a file, no type
 * of the file is defined otherwise. Comments and blanks do not count; a function that defines a type in itself counts whole.
 * @returns undefined where that cannot be told: a branch of an #if holds half a block
 */
export function fileLevelText(source: string): string | undefined {
  const kept: string[] = [];
  /** What stands since the last declaration or function ended, outside of all braces. */
  let declaration: string[] = [];
  /** The function that is being read: its body. */
  let body: string[] | undefined;
  let braces = 0;
  let parentheses = 0;
  const branches: Place[] = [];
  const place = (): Place => ({ braces, parentheses, inFunction: body !== undefined });

  for (const line of logicalLines(source)) {
    if (line.directive !== undefined) {
      const { name, text } = line.directive;
      if (name !== "line") kept.push(text);
      if (name.startsWith("if")) branches.push(place());
      else if (name.startsWith("el") || name === "endif") {
        const start = branches.at(-1);
        if (start === undefined || !isSamePlace(start, place())) return undefined;
        if (name === "endif") branches.pop();
      }
      continue;
    }
    for (const token of line.tokens) {
      if (token === "{" && braces === 0 && parentheses === 0 && isFunctionHead(declaration.join(" "))) body = [];
      if (token === "{") braces++;
      if (token === "(") parentheses++;
      if (token === ")") parentheses--;
      if (token === "}") braces--;
      if (braces < 0 || parentheses < 0) return undefined;
      if (body !== undefined) {
        body.push(token);
        if (braces > 0) continue;
        kept.push(...whatCounts(declaration.join(" "), body.join(" ")));
        body = undefined;
        declaration = [];
        continue;
      }
      declaration.push(token);
      if (token === ";" && braces === 0 && parentheses === 0) {
        const text = declaration.join(" ");
        if (!isPrototype(text)) kept.push(text);
        declaration = [];
      }
    }
  }
  if (braces !== 0 || parentheses !== 0 || branches.length > 0) return undefined;
  kept.push(declaration.join(" "));
  return kept.filter((text) => text !== "").join("\n");
}

function isSamePlace(a: Place, b: Place): boolean {
  return a.braces === b.braces && a.parentheses === b.parentheses && a.inFunction === b.inFunction;
}

interface LogicalLine {
  readonly tokens: readonly string[];
  readonly directive?: { readonly name: string; readonly text: string };
}

/** Lines with those that they continue on, without comments and blanks. A directive's text keeps its blanks. */
function* logicalLines(source: string): Generator<LogicalLine> {
  let tokens: string[] = [];
  let text = "";
  const finish = (): LogicalLine => {
    const isDirective = tokens[0] === "#";
    const line = isDirective ? { tokens: [], directive: { name: tokens[1] ?? "", text: text.trim().replaceAll(/\s+/g, " ") } } : { tokens };
    tokens = [];
    text = "";
    return line;
  };
  for (const [token] of source.matchAll(TOKEN)) {
    if (token === "\n") yield finish();
    else if (token.startsWith("/*") || token.startsWith("//") || token === "\\\n" || /^\s+$/.test(token)) text += " ";
    else {
      tokens.push(token);
      text += token;
    }
  }
  yield finish();
}

/** What of a function counts: nothing, if its head is of the usual kind and no type is defined in it. */
function whatCounts(head: string, body: string): string[] {
  if (/\b(?:struct|union|enum)\b[^;{}()]*\{/.test(body)) return [head, body];
  return isPlainHead(head) ? [] : [head];
}

/** The text before the first parentheses, which ends in what is called; and what is behind them. */
function splitHead(head: string): { readonly before: string; readonly name: string; readonly behind: string } | undefined {
  const open = head.indexOf("(");
  const [, before = "", name = ""] = /^(.*?) ?(\w+) $/.exec(head.slice(0, Math.max(0, open))) ?? [];
  let depth = 0;
  for (let at = open; at >= 0 && at < head.length; at++) {
    if (head[at] === "(") depth++;
    if (head[at] === ")" && --depth === 0) return name === "" ? undefined : { before, name, behind: head.slice(at + 1).trim() };
  }
  return undefined;
}

/** `struct foo __aligned(8)` looks like a function that gives a struct; so does `struct foo ATTRIBUTE(8)`. */
const ATTRIBUTE = /^(?:__\w+|[A-Z\d_]+)$/;
const ATTRIBUTES_BEHIND = /^(?:__\w+(?: \( [^()]* \))? ?)*$/;

/** True where the braces behind are a function's body, not a struct, a list of constants or an initial value. */
function isFunctionHead(head: string): boolean {
  const parts = splitHead(head);
  if (parts === undefined || !/(?:\)|__\w+)$/.test(head)) return false;
  const { before, name, behind } = parts;
  if (before.includes("=") || behind.includes("=") || /\btypedef\b/.test(before)) return false;
  return !(ATTRIBUTE.test(name) && /\b(?:struct|union|enum)\b/.test(before) && !before.includes("*"));
}

/** The declaration of a function: a type must stand before its name, or it could be the use of any macro. */
function isPrototype(text: string): boolean {
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
