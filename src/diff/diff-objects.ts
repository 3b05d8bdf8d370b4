import { COMMON, type ElfObject, type ElfSection, type ElfSymbol } from "../elf/model.js";
import type { ObjectDiff } from "./object-diff.js";
import { analyse, type Analysis } from "./compare/analyse.js";
import { atomName } from "./atoms/atom.js";
import type { CorrelationTrace } from "./compare/correlate.js";

/**
 * Compares the pre and post objects of one compilation unit.
 * Works best on objects compiled with -ffunction-sections -fdata-sections; the order and the numbering of what the compiler
 * emits, debug information and line numbers do not count.
 * @param trace takes which function and object before the change each one after it is taken for, and why
 * @throws Error where an object contradicts itself
 */
export function diffObjects(pre: ElfObject, post: ElfObject, trace?: CorrelationTrace): ObjectDiff {
  const analysis = analyse(pre, post, trace);
  const { functions, data, refusals, notes } = analysis;
  const lists = [functions.changed, functions.new, functions.removed, data.changed, data.new, analysis.addedExports];
  return {
    verdict: refusals.length > 0 ? "refused" : lists.some((list) => list.length > 0) ? "changed" : "no-change",
    functions,
    data,
    renamed: [...analysis.renamed].map(([after, before]) => ({ from: atomName(before), to: atomName(after) })),
    refusals,
    notes,
    pre,
    post,
    twins: twinsOf(analysis),
    analysis,
  };
}

function twinsOf({ twins }: Analysis): Map<ElfSymbol | ElfSection, ElfSymbol | ElfSection> {
  const map = new Map<ElfSymbol | ElfSection, ElfSymbol | ElfSection>();
  for (const [post, pre] of twins) {
    map.set(post.section, pre.section);
    if (post.symbol !== undefined && pre.symbol !== undefined) map.set(post.symbol, pre.symbol);
    for (const symbol of post.symbols) {
      const twin = pre.symbols.find(({ name, home }) => name === symbol.name && home !== COMMON);
      if (twin !== undefined) map.set(symbol, twin);
    }
  }
  return map;
}
