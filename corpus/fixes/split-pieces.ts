import type { LineChange } from "../../src/source/line-directives.js";
import { DisjointSets } from "./disjoint-sets.js";
import { linesOf } from "./lines-of.js";
import { findItems, maskText, nesting, type SourceItem } from "./source-items.js";

/** A file in both versions; undefined where there is none. */
export interface FilePair {
  /** From the top of the tree. */
  readonly path: string;
  /** Texts as latin1. */
  readonly pre: string | undefined;
  readonly post: string | undefined;
  /** How the texts differ, in order. */
  readonly changes: readonly LineChange[];
}

/** What of a file's difference is not taken apart any further: all that is changed in one function; or one change of something else. */
export interface Piece {
  /** `net/ipv4/raw.c#0`: the pieces of a file are numbered. */
  readonly id: string;
  readonly path: string;
  readonly hunks: readonly LineChange[];
}

/** A file taken apart. */
export interface SplitFile extends FilePair {
  readonly preItems: readonly SourceItem[];
  readonly postItems: readonly SourceItem[];
  readonly pieces: readonly Piece[];
}

/** Between changes of a table or a type that are one. */
const NEAR = 1;

/** Takes the difference of a file apart. Each of its hunks is in exactly one piece; that of a new or removed file is one piece. */
export function splitPieces(file: FilePair): SplitFile {
  const { path, pre, post } = file;
  const [preItems, postItems] = [pre, post].map((text) => (text === undefined ? [] : findItems(text))) as [SourceItem[], SourceItem[]];
  const split = (groups: readonly (readonly LineChange[])[]): SplitFile => ({
    ...file,
    preItems,
    postItems,
    pieces: groups.map((hunks, index) => ({ id: `${path}#${index}`, path, hunks })),
  });
  if (!/\.[ch]$/.test(path)) return split(file.changes.map((change) => [change]));
  if (pre === undefined || post === undefined) return split(file.changes.length === 0 ? [] : [file.changes]);
  const texts: Texts = { pre: linesOf(pre), post: linesOf(post), preItems, postItems };
  const hunks = slideAll(file.changes, texts).flatMap((change) => divide(change, texts));
  const sets = new DisjointSets(hunks.length);
  joinWithinItems(hunks, texts, sets);
  joinUnbalanced(hunks, { pre: maskText(pre).split("\n"), post: maskText(post).split("\n") }, sets);
  return split(sets.groups().map((members) => members.flatMap((index) => hunks[index] ?? [])));
}

interface Texts {
  readonly pre: readonly string[];
  readonly post: readonly string[];
  readonly preItems: readonly SourceItem[];
  readonly postItems: readonly SourceItem[];
}

/** How far a change may move without meeting another. */
interface Room {
  readonly up: number;
  readonly down: number;
}

function slideAll(changes: readonly LineChange[], texts: Texts): LineChange[] {
  const slid: LineChange[] = [];
  changes.forEach((change, index) => {
    const before = slid.at(-1);
    const behind = changes[index + 1];
    // A line between two stays, or they would be one.
    const up = change.preStart - (before?.preEnd ?? 0) - 1;
    const down = (behind?.preStart ?? Number.POSITIVE_INFINITY) - change.preEnd - 1;
    slid.push(slide(change, texts, { up, down }));
  });
  return slid;
}

/** Where lines only come, or only go, the same difference can often be told by lines further up or down: the one that touches the fewest items is taken. */
function slide(change: LineChange, texts: Texts, { up, down }: Room): LineChange {
  const isInsertion = change.preStart === change.preEnd;
  if (!isInsertion && change.postStart !== change.postEnd) return change;
  const lines = isInsertion ? texts.post : texts.pre;
  const items = isInsertion ? texts.postItems : texts.preItems;
  const [start, end] = isInsertion ? [change.postStart, change.postEnd] : [change.preStart, change.preEnd];
  let best = { by: 0, cost: Number.POSITIVE_INFINITY };
  const consider = (by: number): void => {
    const touched = touchedItems(items, lines, start + by, end + by);
    const cut = touched.filter((item) => !isWithin(item, lines, start + by, end + by)).length;
    // A block that ends with a blank line is as its author wrote it.
    const blank = /\S/.test(lines[end + by - 2] ?? "") ? 1 : 0;
    const cost = cut * 100 + touched.length * 10 + blank;
    if (cost < best.cost) best = { by, cost };
  };
  consider(0);
  for (let by = -1; -by <= up && lines[start + by - 1] === lines[end + by - 1]; by--) consider(by);
  for (let by = 1; by <= down && end + by - 1 <= lines.length && lines[start + by - 2] === lines[end + by - 2]; by++) consider(by);
  const { by } = best;
  return {
    preStart: change.preStart + by,
    preEnd: change.preEnd + by,
    postStart: change.postStart + by,
    postEnd: change.postEnd + by,
  };
}

/** Several whole items that come or go side by side are a hunk each. */
function divide(change: LineChange, texts: Texts): LineChange[] {
  const isInsertion = change.preStart === change.preEnd;
  if (!isInsertion && change.postStart !== change.postEnd) return [change];
  const lines = isInsertion ? texts.post : texts.pre;
  const [start, end] = isInsertion ? [change.postStart, change.postEnd] : [change.preStart, change.preEnd];
  const touched = touchedItems(isInsertion ? texts.postItems : texts.preItems, lines, start, end);
  if (touched.length < 2 || !touched.every((item) => isWithin(item, lines, start, end))) return [change];
  const cuts = [start, ...touched.slice(1).map((item) => item.start), end];
  return cuts.slice(1).map((cut, index) => {
    const [from, to] = [cuts[index] ?? start, cut];
    return isInsertion ? { ...change, postStart: from, postEnd: to } : { ...change, preStart: from, preEnd: to };
  });
}

/** Items of which a range has a line that is not blank. */
export function touchedItems(items: readonly SourceItem[], lines: readonly string[], start: number, end: number): SourceItem[] {
  return items.filter((item) => hasText(lines, Math.max(start, item.start), Math.min(end, item.end)));
}

/** True where no line of the item outside of the range says anything. */
export function isWithin(item: SourceItem, lines: readonly string[], start: number, end: number): boolean {
  return !hasText(lines, item.start, Math.min(start, item.end)) && !hasText(lines, Math.max(end, item.start), item.end);
}

function hasText(lines: readonly string[], start: number, end: number): boolean {
  for (let line = start; line < end; line++) if (/\S/.test(lines[line - 1] ?? "")) return true;
  return false;
}

/** Joins all changes of a function or macro, in either version, and those of anything else that lie side by side. */
function joinWithinItems(hunks: readonly LineChange[], texts: Texts, sets: DisjointSets): void {
  const first = new Map<SourceItem, number>();
  const join = (index: number, item: SourceItem): void => {
    const known = first.get(item);
    if (known === undefined) first.set(item, index);
    else sets.join(known, index);
  };
  const isWhole = ({ kind }: SourceItem): boolean => kind === "function" || kind === "macro";
  hunks.forEach((hunk, index) => {
    for (const item of touchedItems(texts.preItems, texts.pre, hunk.preStart, hunk.preEnd).filter(isWhole)) join(index, item);
    for (const item of touchedItems(texts.postItems, texts.post, hunk.postStart, hunk.postEnd).filter(isWhole)) {
      join(index, item);
      for (const same of counterparts(item, hunks, texts).filter(isWhole)) join(index, same);
    }
    const next = hunks[index + 1];
    if (
      next !== undefined &&
      next.preStart - hunk.preEnd <= NEAR &&
      next.postStart - hunk.postEnd <= NEAR &&
      isInside(hunk, texts) &&
      isInside(next, texts)
    )
      sets.join(index, index + 1);
  });
}

/** True for a change within a type or a table that is there before and after. */
function isInside({ preStart, postStart, postEnd }: LineChange, texts: Texts): boolean {
  const [item] = touchedItems(texts.postItems, texts.post, postStart, Math.max(postEnd, postStart + 1));
  if (item === undefined || item.kind === "include" || item.kind === "condition") return false;
  return preStart > 1 && !isWithin(item, texts.post, postStart, postEnd);
}

/** Items of the old text that have an unchanged line of one of the new text. */
function counterparts(item: SourceItem, hunks: readonly LineChange[], texts: Texts): SourceItem[] {
  const found = new Set<SourceItem>();
  let at = 0;
  for (let line = item.start; line < item.end; line++) {
    while (at < hunks.length && (hunks[at]?.postEnd ?? 0) <= line) at++;
    const isChanged = line >= (hunks[at]?.postStart ?? Number.POSITIVE_INFINITY);
    if (isChanged || !/\w/.test(texts.post[line - 1] ?? "")) continue;
    const before = hunks[at - 1];
    const preLine = before === undefined ? line : line + before.preEnd - before.postEnd;
    const same = texts.preItems.find(({ start, end }) => preLine >= start && preLine < end);
    if (same !== undefined) found.add(same);
  }
  return [...found];
}

/** Joins a change that opens a bracket or a condition with those up to the one that closes it. */
function joinUnbalanced(
  hunks: readonly LineChange[],
  masked: { pre: readonly string[]; post: readonly string[] },
  sets: DisjointSets,
): void {
  const changes = hunks.map((hunk) => {
    const before = nesting(masked.pre.slice(hunk.preStart - 1, hunk.preEnd - 1).join("\n"));
    const after = nesting(masked.post.slice(hunk.postStart - 1, hunk.postEnd - 1).join("\n"));
    return { brackets: after.brackets - before.brackets, conditions: after.conditions - before.conditions };
  });
  for (const kind of ["brackets", "conditions"] as const) {
    // Where two branches of an #if each open a block, the count says nothing.
    if (changes.reduce((sum, change) => sum + change[kind], 0) !== 0) continue;
    let open = 0;
    changes.forEach((change, index) => {
      if (open !== 0) sets.join(index - 1, index);
      open += change[kind];
    });
  }
}
