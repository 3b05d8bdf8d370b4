import { isText } from "../../diff/atoms/atom.js";
import { baseName, isState } from "../../diff/compare/correlate-data.js";
import { topLevelItems, splitHead, type TopLevelItem } from "../../source/top-level-items.js";
import type { TouchedText } from "../units/touched-texts.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { assigns } from "./assigns.js";
import { declaredTypes } from "./declared-types.js";
import type { Moves } from "./moves.js";
import { droppedState, foldedState, type LinkageRefusal } from "./refusals.js";

/**
 * Variables that only the patched object has, and the source had before: the compiler leaves out a static one that is written to and read by nobody. With the patch
 * somebody reads it, and what it would hold by now, nobody has kept. One that is never written to is none of them: it has its initial value on both sides.
 */
export function findDroppedState(diffs: readonly UnitDiff[], texts: readonly TouchedText[], moves: Pick<Moves, "data">): LinkageRefusal[] {
  const settled = new Set(moves.data.map(({ to }) => to.atom));
  return diffs.flatMap((entry) => {
    const { pre, post, twins } = entry.diff.analysis;
    const come = post.atoms.filter((atom) => isState(atom) && !twins.has(atom) && !settled.has(atom));
    if (come.length === 0) return [];
    // Of what another unit is made of, a name says nothing here.
    const own = texts.filter(({ path }) => path === entry.unit.source || !diffs.some(({ unit }) => unit.source === path));
    // One of that name in another function is a matter for whoever pairs them.
    const had = new Set(pre.atoms.filter((atom) => !isText(atom) && atom.symbol !== undefined).map(baseName));
    return come.flatMap((atom): LinkageRefusal[] => {
      const name = baseName(atom);
      const wasThere = !had.has(name) && own.some((text) => declaredTypes(text.pre, name).size > 0 && isAssigned(text.pre, name));
      return wasThere ? [droppedState(entry, name)] : [];
    });
  });
}

/**
 * Variables that only the running kernel has, though the patched source has them, and reads them: nothing writes to such a static one any more, so that the compiler
 * takes its initial value for it. What it holds by now (a cache that initialization code made) would be forgotten.
 */
export function findFoldedState(diffs: readonly UnitDiff[], texts: readonly TouchedText[], moves: Pick<Moves, "data">): LinkageRefusal[] {
  const settled = new Set(moves.data.map(({ from }) => from.atom));
  return diffs.flatMap((entry) => {
    const { pre, post, twins } = entry.diff.analysis;
    const continued = new Set(twins.values());
    const gone = pre.atoms.filter((atom) => isState(atom) && !continued.has(atom) && !settled.has(atom));
    if (gone.length === 0) return [];
    const own = texts.filter(({ path }) => path === entry.unit.source || !diffs.some(({ unit }) => unit.source === path));
    const has = new Set(post.atoms.filter((atom) => !isText(atom) && atom.symbol !== undefined).map(baseName));
    return gone.flatMap((atom): LinkageRefusal[] => {
      const name = baseName(atom);
      const isFolded = own.some((text) => declaredTypes(text.post, name).size > 0 && isOnlyRead(text.post, name));
      return !has.has(name) && isFolded ? [foldedState(entry, name)] : [];
    });
  });
}

/** True if functions of a source mention the variable, and none gives it a value. */
function isOnlyRead(source: string, name: string): boolean {
  if (isAssigned(source, name)) return false;
  const use = new RegExp(String.raw`(?:^|[^.>] )${name} (?!\()`);
  const step = new RegExp(String.raw`(?:\+ \+|- -) ${name} |(?:^|[^.>] )${name} (?:\+ \+|- -)`);
  const bodies = topLevelItems(source).flatMap(({ kind, body }) => (kind === "function" ? [body] : []));
  // A static one's own declaration is no use.
  const uses = bodies.map((body) => body.replaceAll(new RegExp(String.raw`\bstatic [^;(){}]*\b${name} [^;]*;`, "g"), ";"));
  return uses.some((body) => use.test(body)) && !uses.some((body) => step.test(body));
}

/** True if a function of a source gives the variable, a member or an element of it a value. A static function that nothing else mentions is none: the compiler leaves it out. */
function isAssigned(source: string, name: string): boolean {
  const items = topLevelItems(source);
  return items.some((item) => item.kind === "function" && assigns(item.body, name) && !isLeftOut(item, items));
}

function isLeftOut(item: TopLevelItem, items: readonly TopLevelItem[]): boolean {
  const own = splitHead(item.head)?.name;
  if (own === undefined || !/^(?:\w+ )*static /.test(item.head)) return false;
  const mention = new RegExp(String.raw`\b${own}\b`);
  return !items.some((other) => other !== item && [other.head, other.body, ...other.directives].some((text) => mention.test(text)));
}
