import { splitHead, type TopLevelItem } from "./top-level-items.js";

/**
 * The names by which other code can refer to what stands at the top level of a header, and in no other way does the item change what a unit that
 * includes it is compiled to. Parameters and members are not among them: who uses those has the name of the function or the type.
 * @returns undefined where that is not so, or cannot be told from the text: an #include, a macro that declares something, a definition that
 * every includer gets code or data of
 */
export function declaredNames(item: TopLevelItem): readonly string[] | undefined {
  if (item.kind === "directive") return definedMacros([item.head]);
  const macros = definedMacros(item.directives);
  const names = item.kind === "function" ? functionNames(item.head) : declarationNames(item.head);
  return macros === undefined || names === undefined ? undefined : [...macros, ...names];
}

const CONDITION = /^# ?(?:if|ifdef|ifndef|elif|else|endif)\b/;

function definedMacros(directives: readonly string[]): string[] | undefined {
  const names: string[] = [];
  for (const text of directives) {
    if (CONDITION.test(text)) continue;
    // Options of the configuration are also asked for by names that macros put together.
    const [, name] = /^# ?(?:define|undef) (?!CONFIG_)(\w+)/.exec(text) ?? [];
    if (name === undefined) return undefined;
    names.push(name);
  }
  return names;
}

/** Attributes that take arguments (include/linux/compiler_attributes.h, compiler_types.h, Linux 6.1). None makes a unit keep what it does not use. */
const ATTRIBUTE_CALL =
  /\b__(?:printf|scanf|aligned|alloc_size|assume_aligned|must_hold|acquires|releases|cond_acquires|cond_releases|realloc_size) \( [^()]*\) ?/g;

/** An inline function, or a static one, which leaves nothing where it is not called. */
function functionNames(head: string): string[] | undefined {
  const name = calledName(head);
  return name !== undefined && /\b(?:static|inline|__always_inline)\b/.test(head) ? [name] : undefined;
}

/** The name of the function that a head declares, if it has a type before it and nothing is in its way. */
function calledName(head: string): string | undefined {
  const { before, name, behind } = splitHead(head.replaceAll(ATTRIBUTE_CALL, "")) ?? { before: "", name: "", behind: "(" };
  const isTyped = before.split(/[ *]+/).some((word) => word !== "" && !STORAGE.test(word));
  const isPlain = /^[\w* ]*$/.test(before) && /^[\w ]*$/.test(behind);
  return isTyped && isPlain && !KEEPING.test(head) && !/^[A-Z\d_]+$/.test(name) && !KEYWORD.test(name) ? name : undefined;
}

const STORAGE = /^(?:static|extern|inline|noinline|__\w+)$/;
const KEYWORD = /^(?:void|int|char|short|long|unsigned|signed|bool|const|typeof|__typeof__|__attribute__|__section)$/;
/** Attributes that make the compiler keep, place or rename a symbol. */
const KEEPING = /\b(?:__used|__section|__attribute__|__visible|__alias|__weak|asm|__asm__)\b/;

function declarationNames(text: string): readonly string[] | undefined {
  if (!text.endsWith(";") || KEEPING.test(text)) return undefined;
  const declaration = text.replaceAll(ATTRIBUTE_CALL, "").slice(0, -1).trim();
  if (declaration === "" || /^(?:struct|union|enum) \w+$/.test(declaration)) return [];
  if (/^(?:static_assert|_Static_assert) \(/.test(declaration)) return [];
  if (declaration.includes("{")) return blockNames(declaration);
  if (!declaration.startsWith("typedef ") && declaration.includes("(")) {
    const name = calledName(declaration);
    return name === undefined ? undefined : [name];
  }
  if (declaration.startsWith("typedef ")) return typedefName(declaration);
  return /^(?:extern|static) /.test(declaration) ? variableNames(declaration) : undefined;
}

function typedefName(declaration: string): string[] | undefined {
  const pointer = /\( \* (\w+) \) \(/.exec(declaration)?.[1];
  const plain = /^typedef [\w* ]*?\b(\w+)(?: \[ \w* \])*$/.exec(declaration)?.[1];
  const name = pointer ?? plain;
  return name === undefined ? undefined : [name];
}

/** `extern struct foo a , * b [ 4 ]`, `static const int c = 1`. */
function variableNames(declaration: string): string[] | undefined {
  if (/[(){}]/.test(declaration.replace(/=.*$/, ""))) return undefined;
  const names = declaration.split(" , ").map((part) => /(\w+)(?: \[[^\]]*\])*(?: =.*)?$/.exec(part)?.[1]);
  return names.every((name) => name !== undefined) ? names : undefined;
}

/** Tags, enumerators, and what is declared with the type; or the name of an initialized static object. */
function blockNames(declaration: string): string[] | undefined {
  const initialized = /^static (?:const )?[\w ]*?\b(\w+)(?: \[[^\]]*\])* = \{/.exec(declaration)?.[1];
  if (initialized !== undefined) return [initialized];
  if (!/^(?:typedef )?(?:struct|union|enum)\b/.test(declaration)) return undefined;
  const names = Array.from(declaration.matchAll(/\b(?:struct|union|enum) (?:__\w+ )*(\w+) \{/g), ([, tag = ""]) => tag);
  for (const [, tag = ""] of declaration.matchAll(/\bstruct_group_tagged \( (\w+)/g)) names.push(tag);
  for (const [, constants = ""] of declaration.matchAll(/\benum (?:\w+ )*\{([^}]*)\}/g))
    for (const constant of constants.split(" ,")) {
      const [, name, rest = ""] = /^\s*(\w+)(.*)$/.exec(constant) ?? [];
      if (name === undefined ? constant.trim() !== "" : !/^\s*(?:=|$)/.test(rest)) {
        // The rest of a value that holds a comma, or a macro that makes constants.
        return undefined;
      }
      if (name !== undefined) names.push(name);
    }
  const behind = declaration.slice(declaration.lastIndexOf("}") + 1);
  for (const [word] of behind.matchAll(/\b\w+\b/g)) if (!word.startsWith("__")) names.push(word);
  // Without a typedef, an object of the header's own, which every includer would define.
  if (/\w/.test(behind.replaceAll(/\b__\w+/g, "")) && !declaration.startsWith("typedef ")) return undefined;
  return names;
}
