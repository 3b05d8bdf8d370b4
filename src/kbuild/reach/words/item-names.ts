import { declaredNames } from "../../../source/declared-names.js";
import type { TopLevelItem } from "../../../source/top-level-items.js";

/**
 * The names by which other code can use what stands at the top level of a header. More forms are understood than where a change is to be nothing but
 * new names: a name too many only makes more units be compiled.
 * @returns undefined where every file that includes the header gets code or data of the item, or may
 */
export function itemNames(item: TopLevelItem): readonly string[] | undefined {
  const strict = declaredNames(item);
  if (strict !== undefined || item.kind === "directive") return strict;
  const head = withoutAttributes(item.head);
  const plain = declaredNames({ ...item, head });
  if (plain !== undefined) return plain;
  const macros = item.directives.length === 0 ? [] : declaredNames({ ...item, kind: "declaration", head: "struct x ;", body: "" });
  if (macros === undefined || KEEPING.test(head)) return undefined;
  const names = item.kind === "function" ? functionNames(head) : declarationNames(head);
  return names === undefined ? undefined : [...macros, ...names];
}

/** Keeps, or makes, what the compiler would leave out otherwise. */
const KEEPING = /\b(?:__used|__section|__attribute__|__visible|__alias|__init_or_module|__initcall|asm|__asm__)\b/;

/** Attributes that say nothing of where something is, or whether it is kept. */
const HARMLESS =
  /^[\s(]*(?:__)?(?:const|pure|packed|aligned|noreturn|format|unused|may_alias|transparent_union|warn_unused_result|nonnull|error|warning|randomize_layout)/;

/** Leaves out attributes with whatever arguments they have: `__aligned ( 4 * sizeof ( long ) )`. */
function withoutAttributes(head: string): string {
  let rest = head;
  for (const [name] of head.matchAll(
    /\b(?:__attribute__|__attribute|__aligned|__printf|__scanf|__counted_by|__alloc_size|__malloc|__nonnull(?:_args)?)\b(?= \()/g,
  )) {
    const at = rest.indexOf(`${name} (`);
    const end = at < 0 ? -1 : closeOf(rest, at + name.length + 1);
    if (end < 0) return head;
    const inner = rest.slice(at + name.length + 1, end + 1);
    if (name.startsWith("__attribute") && !HARMLESS.test(inner)) return head;
    rest = `${rest.slice(0, at).trimEnd()} ${rest.slice(end + 1).trimStart()}`;
  }
  return rest.replaceAll(/ _struct_page_alignment(?= ;)/g, "").trim();
}

/** Where the parenthesis closes that opens at a place; −1 where none does. */
export function closeOf(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")" && --depth === 0) return at;
  }
  return -1;
}

/** A static function leaves nothing where it is not called; its name is the word before the parameters. */
function functionNames(head: string): string[] | undefined {
  if (
    !/^(?:(?:extern|inline|__always_inline|noinline|__maybe_unused|notrace) )*(?:static|extern inline|inline|__always_inline)\b/.test(head)
  )
    return undefined;
  return calledNames(head);
}

const TYPE_WORD = /^(?:const|volatile|unsigned|signed|\*|[a-z]\w*|__(?:[bl]e\d+|[us]\d+|w?sum(?:16)?|poll_t|kernel_\w+_t|be|le))$/;

function declarationNames(head: string): string[] | undefined {
  if (!head.endsWith(" ;")) return undefined;
  const text = head.slice(0, -2);
  // What is only told to exist elsewhere, and what only names a type.
  if (/^(?:extern|typedef) /.test(head)) {
    if (text.includes("{")) {
      const behind = text.slice(text.lastIndexOf("}") + 1);
      const type = declaredNames({
        kind: "declaration",
        conditions: [],
        directives: [],
        body: "",
        head: `${text.slice(0, text.lastIndexOf("}") + 1).replace(/^\w+ /, "")} ;`,
      });
      if (type === undefined || /[(=]/.test(behind)) return undefined;
      return [...type, ...words(behind)];
    }
    if (text.includes("=")) return undefined;
    return declarators(text);
  }
  // Only a function can be one.
  if (/^static (?:inline|__always_inline) /.test(text) && !/[{}=]/.test(text)) return calledNames(text);
  const [before = ""] = text.split(" (", 1);
  const parts = before.split(" ");
  const isTyped = parts.length > 1 && parts.slice(0, -1).every((word) => TYPE_WORD.test(word)) && /^[a-z_]\w*$/.test(parts.at(-1) ?? "");
  return isTyped && text.includes(" (") && !/[{}=]/.test(text) ? calledNames(text) : undefined;
}

const words = (text: string): string[] => text.match(/\b[A-Za-z_]\w*/g) ?? [];
const NO_NAME =
  /^(?:__typeof__|typeof|__typeof|__attribute__|__printf|__scanf|__aligned|sizeof|void|int|char|long|short|unsigned|const|bool)$/;

/** Words outside of parentheses that parameters follow. */
function calledNames(head: string): string[] | undefined {
  const names: string[] = [];
  for (const { word, next, depth } of walk(head)) if (depth === 0 && next === "(" && !NO_NAME.test(word)) names.push(word);
  return names.length === 0 ? undefined : names;
}

/** The names that an extern declaration or a typedef may declare. */
function declarators(text: string): string[] | undefined {
  const names = Array.from(text.matchAll(/\( (?:\* )*(?:const )?(\w+)(?= [)[(])/g), ([, name = ""]) => name);
  let last: string | undefined;
  for (const { word, next, depth, behind } of walk(text)) {
    if (depth !== 0 || NO_NAME.test(word)) continue;
    // A macro whose result stands before the name.
    const isPrefix = next === "(" && /^\w/.test(behind) && !behind.startsWith("__");
    if (isPrefix || !["", "(", "[", ","].includes(next)) {
      if (next === "" || next.startsWith("__")) names.push(word);
      continue;
    }
    if (next === "(" && /^extern \w+ \($/.test(text.slice(0, text.indexOf("(") + 1))) names.push(...words(text.slice(text.indexOf("("))));
    if (word.startsWith("__") && last !== undefined) continue;
    names.push(word);
    last = word;
  }
  return names.length === 0 ? undefined : names;
}

/** Each word with the depth of its parentheses, the token behind it, and what is behind the parentheses that follow it. */
function* walk(text: string): Generator<{ word: string; depth: number; next: string; behind: string }> {
  let depth = 0;
  for (const match of text.matchAll(/[A-Za-z_]\w*|[()]/g)) {
    const [token] = match;
    if (token === "(") depth++;
    else if (token === ")") depth--;
    else {
      const rest = text.slice(match.index + token.length).trimStart();
      const next = /^(?:\w+|.)?/.exec(rest)?.[0] ?? "";
      const close = next === "(" ? closeOf(rest, 0) : -1;
      yield { word: token, depth, next, behind: close < 0 ? "" : rest.slice(close + 1).trimStart() };
    }
  }
}
