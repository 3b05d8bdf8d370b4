import { itemNames } from "./item-names.js";
import { codeTokens, readTopLevel, type TopLevelItem } from "../../../source/top-level-items.js";
import { readEnum, type EnumDeclaration } from "../../../source/enum-declaration.js";
import { splitUses } from "./macro-effects.js";
import { findMacros, parseMacro, type Macro } from "./macro-text.js";
import { isName } from "../../../source/words.js";

/** A part of a header through which a change of other names comes to what mentions its own. */
export interface HeaderItem {
  /** The names by which other code can use it; undefined where every file that includes the header gets code or data of it, or may. */
  readonly names: readonly string[] | undefined;
  /** What it is made of. */
  readonly text: string;
  /** It is the use of a macro, and what that declares is not looked up yet. */
  readonly isUse?: true;
  /** Macros that are defined in it. */
  readonly macros: readonly Macro[];
}

/** The one word of an item through which every change comes: an #include of what the text does not tell. */
export const ANY_CHANGE = "__includes_what_a_macro_says";

export interface HeaderText {
  /** Those that mention something. */
  readonly items: readonly HeaderItem[];
  /** All that can have a part in putting names together. */
  readonly macros: readonly Macro[];
}

/** What a guard against reading a header twice looks like. */
const GUARD = /^# ?ifndef (\w+)$/;

/** Takes a header apart. */
export function readHeaderItems(text: string): HeaderText {
  const items = isTableOfNumbers(text) ? [] : readItems(text);
  return {
    items: items.filter((item) => WORD.test(item.text)),
    macros: items.flatMap(({ macros }) =>
      macros.filter((macro) => macro.body.length === 0 || !/[A-Z]/.test(macro.name) || macro.body.some(isName)),
    ),
  };
}

const WORD = /(?<!\w)[A-Za-z_]/;

function readItems(text: string): HeaderItem[] {
  const topLevel = readTopLevel(text);
  if (topLevel === undefined) return readWhole(text);
  const items: HeaderItem[] = [];
  /** Names of what stands under the same conditions, by these. */
  const branches = new Map<string, { words: string[]; names: string[] | undefined }>();
  const guard = guardOf(topLevel);
  for (const item of topLevel) {
    if (item.kind === "directive" && SILENT.test(item.head)) continue;
    const { uses, rest } =
      item.kind !== "directive" && item.directives.every((text) => /^# ?(?:define|undef)\b/.test(text))
        ? splitUses(item.head)
        : { uses: [], rest: item.head };
    const own = { ...item, head: rest };
    const names = itemNames(own);
    const conditions = item.conditions.filter((condition, index) => index > 0 || GUARD.exec(condition)?.[1] !== guard);
    addToBranch(branches, conditions, uses.length === 0 || rest === "" ? names : undefined);
    if (uses.length === 0 && names?.length === 0) continue;
    items.push(...uses.map((text): HeaderItem => ({ names: undefined, text, isUse: true, macros: [] })));
    const enumeration = readEnum(own);
    if (enumeration !== undefined) items.push(...readEnumItems(enumeration));
    else if ((rest !== "" && rest !== ";") || item.directives.length > 0) items.push(readItem(own, names));
  }
  for (const { words, names } of branches.values()) items.push({ names, text: words.join(" "), macros: [] });
  if (guard !== undefined) items.push({ names: undefined, text: guard, macros: [] });
  return items;
}

/** Each enumerator apart: who uses the type, or those before one that changes, is not concerned. What values are made of may give the type a sign, or another size. */
function readEnumItems({ typeNames, enumerators }: EnumDeclaration): HeaderItem[] {
  const values = enumerators.map(({ value }) => value ?? "").join(" ");
  return [
    { names: typeNames, text: values, macros: [] },
    ...enumerators.map(({ name, value }, at): HeaderItem => ({
      names: [name],
      text: value ?? enumerators[at - 1]?.name ?? "",
      macros: [],
    })),
  ];
}

/** Directives that give no code, whatever their words mean; the branches of a condition count by what is in them. */
const SILENT = /^# ?(?:if|ifdef|ifndef|elif|else|endif|error|warning)\b/;

function readItem(item: TopLevelItem, names: readonly string[] | undefined): HeaderItem {
  if (item.kind === "directive") {
    const macro = parseMacro(item.head);
    if (macro !== undefined) return { names, text: macroWords(macro), macros: [macro] };
    const [, spec] = /^# ?include ?(.*)$/.exec(item.head) ?? [];
    if (/^# ?undef\b/.test(item.head)) return { names, text: "", macros: [] };
    if (spec === undefined) return { names, text: item.head.replace(/^# ?\w+/, ""), macros: [] };
    // The headers of trace events are included by this macro only by those that include them by name too.
    const isKnown = /^(?:["<]|TRACE_INCLUDE \()/.test(spec.replace("(", " ("));
    return { names, text: isKnown ? "" : ANY_CHANGE, macros: [] };
  }
  const macros = item.directives.flatMap((text) => parseMacro(text) ?? []);
  return {
    names,
    text: [item.head, item.body, ...item.directives.filter((text) => !/^# ?(?:undef\b|include ?["<])/.test(text))].join("\n"),
    macros,
  };
}

/** The words of its body but its parameters, which stand for others. */
function macroWords({ params, rest, body }: Macro): string {
  return body.filter((token) => token !== rest && params?.includes(token) !== true).join(" ");
}

function addToBranch(
  branches: Map<string, { words: string[]; names: string[] | undefined }>,
  conditions: readonly string[],
  names: readonly string[] | undefined,
): void {
  if (conditions.length === 0) return;
  const key = conditions.join("\n");
  const branch = branches.get(key) ?? {
    words: conditions.flatMap((condition) => [...codeTokens(condition)].slice(2).filter(isName)),
    names: [],
  };
  branches.set(key, branch);
  if (branch.words.length === 0) return;
  if (names === undefined) branch.names = undefined;
  else branch.names?.push(...names);
}

/** The name of the guard, if the header begins with one. */
function guardOf(items: readonly TopLevelItem[]): string | undefined {
  const [first, second] = items;
  const name = GUARD.exec(first?.head ?? "")?.[1];
  return name !== undefined && second?.kind === "directive" && parseMacro(second.head)?.name === name ? name : undefined;
}

/** A header that cannot be taken apart: it counts whole, for everything that includes it. */
function readWhole(text: string): HeaderItem[] {
  const macros = findMacros(text);
  return [
    { names: undefined, text, macros: [] },
    ...macros.map((macro) => ({ names: [macro.name], text: macroWords(macro), macros: [macro] })),
  ];
}

const NUMBER_LINE = /^(?:\s*|#ifndef \w+|#endif|#define \w+(?:[ \t]+\(?-?(?:0x[\da-fA-F]+|\d+)[uUlL]*\)?)?)[ \t]*\r?$/;

/** True of the lists of a device's registers, half of all the text of the kernel's headers: macros for numbers, under no condition but a guard. */
export function isTableOfNumbers(text: string): boolean {
  if (text.length < 4096) return false;
  return text
    .replaceAll(/\/\*[^]*?\*\/|\/\/[^\n]*/g, "")
    .split("\n")
    .every((line) => NUMBER_LINE.test(line));
}
