import type { TopLevelItem } from "./top-level-items.js";

/** `enum tag { A, B = 2 };` or `typedef enum { A, B } name_t;`. */
export interface EnumDeclaration {
  /** The tag and the typedef's name, as far as there are any. */
  readonly typeNames: readonly string[];
  readonly enumerators: readonly Enumerator[];
}

export interface Enumerator {
  readonly name: string;
  /** What is said of its value; undefined: it follows the one before. */
  readonly value: string | undefined;
}

/** @returns undefined for anything else, and for an enumeration with attributes, directives or macros among its enumerators */
export function readEnum(item: TopLevelItem): EnumDeclaration | undefined {
  if (item.kind !== "declaration" || item.directives.length > 0) return undefined;
  const [, typedef, tag, list, name] = /^(typedef )?enum (?:(\w+) )?\{ ([^{}]*) \} (?:(\w+) )?;$/.exec(item.head) ?? [];
  if (list === undefined || (typedef === undefined) !== (name === undefined)) return undefined;
  const enumerators: Enumerator[] = [];
  for (const part of splitList(list)) {
    const [, enumerator, value] = /^(\w+)(?: = (.+))?$/.exec(part) ?? [];
    if (enumerator === undefined) return undefined;
    enumerators.push({ name: enumerator, value });
  }
  return { typeNames: [tag, name].filter((word) => word !== undefined), enumerators };
}

/** The parts between commas that stand in no parentheses; an empty last one is none. */
function splitList(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part: string[] = [];
  for (const token of list.split(" ")) {
    if (token === "(") depth++;
    if (token === ")") depth--;
    if (token === "," && depth === 0) {
      parts.push(part.join(" "));
      part = [];
    } else part.push(token);
  }
  return part.length === 0 ? parts : [...parts, part.join(" ")];
}

/** A value that needs no more than 30 bits and no sign: with it, and without, an enumeration has the same type. */
const LARGEST = 2 ** 30;
const NUMBER = /^(?:0x[\da-fA-F]+|0|[1-9]\d*)$/;

/** The value of each enumerator as the text tells it: by what it counts from, and how far it is from that. */
function valuesOf({ enumerators }: EnumDeclaration): Map<string, { readonly from: string; readonly value: number }> {
  const values = new Map<string, { readonly from: string; readonly value: number }>();
  let last = { from: "", value: -1 };
  for (const { name, value } of enumerators) {
    if (value === undefined) last = { from: last.from, value: last.value + 1 };
    else last = NUMBER.test(value) ? { from: "", value: Number(value) } : { from: value, value: 0 };
    values.set(name, last);
  }
  return values;
}

/**
 * The enumerators that come, go or get another value between two versions of an enumeration, if all else of it stays: its names, and the integer type
 * that its values make of it.
 * @returns undefined if that is not so, or the text does not tell
 */
export function changedEnumerators(pre: EnumDeclaration, post: EnumDeclaration): string[] | undefined {
  if (pre.typeNames.join() !== post.typeNames.join()) return undefined;
  const [before, after] = [valuesOf(pre), valuesOf(post)];
  const changed: string[] = [];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(name), after.get(name)];
    if (old?.from === now?.from && old?.value === now?.value) continue;
    if (![old, now].every((value) => value === undefined || (value.from === "" && value.value < LARGEST))) return undefined;
    changed.push(name);
  }
  return changed;
}
