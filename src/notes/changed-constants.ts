import { blankComments } from "../source/blank-text.js";
import { tokensOf, type FileChange } from "./changed-functions.js";
import { lineAt, type SourceFunction } from "./read-functions.js";
import type { SemanticNote } from "./types.js";

interface Constant {
  readonly value: string;
  readonly line: number;
}

/** The last of an enumeration counts the others; objects hold no such. */
const COUNT = /(?:^|_)(?:MAX|NUM|NR|COUNT|LAST|END|CNT|N|SIZE|LEN)(?:_|$)|MAX$/;

/**
 * Notes macros that are constants, and enumerators, whose value changes, where objects may hold the value: a function of the patch stores it in a
 * field, compares a field with it, or tests a bit of it. New code then reads the old value differently.
 */
export function noteChangedConstants(files: readonly FileChange[]): SemanticNote[] {
  const bodies = files.flatMap(({ post }) => post.functions.map(({ body }) => body));
  return files.flatMap((file) => {
    const isTold = ({ name }: ConstantChange): boolean => !COUNT.test(name) && isHeld(name, bodies);
    const macros = changedMacros(file).filter(isTold);
    // A shifted enumeration is told once, by the first of its names that is used.
    const enumerators = changedEnumerators(file).filter(isTold);
    const told = [
      ...macros.map((change) => ({ ...change, others: 0 })),
      ...enumerators.slice(0, 1).map((change) => ({ ...change, others: enumerators.length - 1 })),
    ];
    const taken = takenNumbers(file, files).map(({ before, after, constant }): SemanticNote => ({
      kind: "changed-constant",
      function: after,
      file: file.path,
      line: constant.line,
      message: `${after} is ${constant.value}, which ${before} was before: if it is not the same under another name, objects that hold the number mean the former`,
    }));
    const changed = told.map(({ name, was, now, others }): SemanticNote => ({
      kind: "changed-constant",
      function: name,
      file: file.path,
      line: now.line,
      message: `${name} is ${now.value}, before ${was.value}${others === 0 ? "" : `, and ${others} more enumerators change`}: to new code, the old value that objects hold means something else, and code that is not replaced goes on with the old one`,
    }));
    return [...changed, ...taken];
  });
}

interface TakenNumber {
  readonly before: string;
  readonly after: string;
  readonly constant: Constant;
}

/**
 * Macros that go, and of which another one has the number and a neighbour, where fields have both, and not in the same functions as often: such is a new
 * name. (Enumerators are refused: src/btf/compare-enums.ts.)
 */
function takenNumbers({ preText, postText }: FileChange, files: readonly FileChange[]): TakenNumber[] {
  const [before, after] = [macrosOf(preText), macrosOf(postText)];
  const [had, has] = [new Set(before.map(([name]) => name)), new Set(after.map(([name]) => name))];
  const neighbours = (list: readonly [string, Constant][], at: number): string[] =>
    [list[at - 1], list[at + 1]].flatMap((entry) => entry?.[0] ?? []);
  const [old, now] = [files.flatMap(({ pre }) => pre.functions), files.flatMap(({ post }) => post.functions)];
  const [oldBodies, bodies] = [old, now].map((functions) => functions.map(({ body }) => body));
  return before.flatMap(([name, { value }], at): TakenNumber[] => {
    if (has.has(name) || COUNT.test(name) || !/\d/.test(value) || !isHeld(name, oldBodies ?? [])) return [];
    const near = new Set(neighbours(before, at));
    const place = after.findIndex(
      ([other, constant], index) =>
        !had.has(other) && constant.value === value && neighbours(after, index).some((neighbour) => near.has(neighbour)),
    );
    const [other, constant] = after[place] ?? [];
    if (other === undefined || constant === undefined) return [];
    const isNewName = !isHeld(other, bodies ?? []) || usesOf(name, old) === usesOf(other, now);
    return isNewName ? [] : [{ before: name, after: other, constant }];
  });
}

/** How often which functions use a name. */
function usesOf(name: string, functions: readonly SourceFunction[]): string {
  const uses = functions.map((entry) => [entry.name, entry.body.split(new RegExp(`\\b${name}\\b`)).length - 1] as const);
  return uses.flatMap(([user, count]) => (count > 0 ? [`${user} ${String(count)}`] : [])).join("\n");
}

/** A name that has another value with the patch. */
export interface ConstantChange {
  readonly name: string;
  readonly was: Constant;
  readonly now: Constant;
}

/** What changes in the values of macros and enumerators of some files, by their names; macros that are made of such have the same change. */
export function changedValues(files: readonly FileChange[]): ReadonlyMap<string, ConstantChange> {
  const changed = new Map(
    files.flatMap((file) => [...changedMacros(file), ...changedEnumerators(file)]).map((change) => [change.name, change]),
  );
  const macros = files.flatMap(({ postText }) => macrosOf(postText));
  // A map iterates over what is added to it meanwhile.
  for (const [part, change] of changed)
    for (const [name, { value }] of macros) if (!changed.has(name) && value.split(" ").includes(part)) changed.set(name, change);
  return changed;
}

function changedMacros(file: FileChange): ConstantChange[] {
  return changesOf(macrosOf(file.preText), macrosOf(file.postText));
}

function changedEnumerators(file: FileChange): ConstantChange[] {
  return changesOf(enumeratorsOf(file.preText), enumeratorsOf(file.postText));
}

/** What is defined once before and once after: of several definitions, in branches of an #if, the text does not tell which one holds. */
function changesOf(before: [string, Constant][], after: [string, Constant][]): ConstantChange[] {
  const known = onlyOnce(before);
  return [...onlyOnce(after)].flatMap(([name, now]) => {
    const was = known.get(name);
    return was === undefined || was.value === now.value ? [] : [{ name, was, now }];
  });
}

function onlyOnce(constants: readonly [string, Constant][]): Map<string, Constant> {
  const counts = new Map<string, number>();
  for (const [name] of constants) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map(constants.filter(([name]) => counts.get(name) === 1));
}

/** Macros without parameters that are made of numbers, operators and names of other constants. */
function macrosOf(text: string): [string, Constant][] {
  const plain = blankComments(text);
  return Array.from(plain.matchAll(/^[^\S\n]*#[^\S\n]*define[^\S\n]+(\w+)[^\S\n]+((?:\\\n|[^\n])+)$/gm)).flatMap(
    ({ 1: name = "", 2: body = "", index }) => {
      const value = tokensOf(body.replaceAll("\\\n", " "));
      return isConstant(value) ? [[name, { value, line: lineAt(plain, index + 1) }] as [string, Constant]] : [];
    },
  );
}

function isConstant(value: string): boolean {
  return value.split(" ").every((token) => /^(?:\d\w*|[A-Z][A-Z\d_]*|[()|&~<>+*-]|sizeof)$/.test(token)) && /\d|[A-Z]/.test(value);
}

/** Enumerators with the values that they have by their place; an expression stands for itself. */
function enumeratorsOf(text: string): [string, Constant][] {
  const plain = blankComments(text).replaceAll(/^[^\S\n]*#(?:\\\n|[^\n])*/gm, (line) => line.replaceAll(/[^\n]/g, " "));
  const found: [string, Constant][] = [];
  for (const { 0: whole, 1: list = "", index } of plain.matchAll(/\benum\b[^{};()=]*\{([^{}]*)\}/g)) {
    let base = "";
    let offset = -1;
    let at = index + whole.length - list.length - 1;
    for (const part of list.split(",")) {
      const [, name, value] = /^\s*(\w+)[^=]*(?:=\s*([^]*\S))?\s*$/.exec(part) ?? [];
      if (name !== undefined) {
        if (value === undefined) offset++;
        else {
          const number = Number(value);
          base = Number.isInteger(number) ? "" : tokensOf(value);
          offset = Number.isInteger(number) ? number : 0;
        }
        const spelt = base === "" ? String(offset) : offset === 0 ? base : `${base} + ${offset}`;
        found.push([name, { value: spelt, line: lineAt(plain, at + part.search(/\w/) + 1) }]);
      }
      at += part.length + 1;
    }
  }
  return found;
}

/** True where a value of that name is put into, or looked for in, a field. */
function isHeld(name: string, bodies: readonly string[]): boolean {
  const stored = new RegExp(`(?:->|\\.)\\s*\\w+(?:\\[[^\\]]*\\])?\\s*(?:[|&^]?=|[=!]=|&)\\s*[^;]*\\b${name}\\b`);
  const passed = new RegExp(`\\b(?:set|test|clear)_bit\\w*\\s*\\(\\s*${name}\\b`);
  const isUsed = (text: string): boolean => text.includes(name) && (stored.test(text) || passed.test(text));
  return bodies.some(isUsed);
}
