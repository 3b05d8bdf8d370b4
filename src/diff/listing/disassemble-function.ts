import { architectureOf } from "../../arch/architectures.js";
import { homeSection, type ElfObject, type ElfRelocation, type ElfSymbol } from "../../elf/model.js";

/** One instruction of a function. */
export interface FunctionLine {
  /** Bytes from the start of the function. */
  readonly offset: number;
  /** AT&T syntax, followed by what its relocations refer to: `call 0x5  <_printk-0x4>`. */
  readonly text: string;
  /** The same without branch targets, which move with every inserted instruction: for comparing two versions. */
  readonly key: string;
}

const BRANCH = /^(j\w+|loop\w*|call)\s+(short |near )?-?(0x)?[0-9a-f]+h?\b/;

/** Disassembles the function that a symbol of an object names; empty for a symbol that no section defines. */
export function disassembleFunction(symbol: ElfSymbol, object: ElfObject): FunctionLine[] {
  const section = homeSection(symbol);
  if (section === undefined) return [];
  const end = symbol.size === 0 ? section.size : symbol.value + symbol.size;
  const code = section.data.subarray(symbol.value, end);
  const relocations = section.relocations.filter(({ offset }) => offset >= symbol.value && offset < end);
  return architectureOf(object)
    .code.disassemble(code, 0n)
    .map(({ offset, size, text }) => {
      const from = symbol.value + offset;
      const fields = relocations.filter((relocation) => relocation.offset >= from && relocation.offset < from + size);
      const references = fields.map((relocation) => `  <${describe(relocation)}>`).join("");
      return { offset, text: `${text}${references}`, key: `${text.replace(BRANCH, "$1")}${references}` };
    });
}

function describe({ symbol, addend, type }: ElfRelocation): string {
  // A PC-relative field counts from its end: 4 bytes, as a rule.
  const shown = type.pcRelative ? addend + 4 : addend;
  if (shown === 0) return symbol.name;
  return `${symbol.name}${shown < 0 ? "-" : "+"}0x${Math.abs(shown).toString(16)}`;
}

/** A line of two versions side by side in one list: `-` only in the first, `+` only in the second, ` ` in both. */
export interface MergedLine {
  readonly mark: "-" | "+" | " ";
  readonly offset: number;
  readonly text: string;
}

/** Cells of the table below: 64 MB. Two versions of which 4,000 instructions in a row have something else around them fit. */
const MOST_CELLS = 16_000_000;

/**
 * Merges two disassemblies by their longest common subsequence, comparing keys. Time and memory go with the product of what lies between the first and the last
 * difference; where that is too much, all of it counts as gone and come.
 */
export function mergeLines(pre: readonly FunctionLine[], post: readonly FunctionLine[]): MergedLine[] {
  let head = 0;
  while (head < pre.length && head < post.length && pre[head]?.key === post[head]?.key) head++;
  let tail = 0;
  while (tail < pre.length - head && tail < post.length - head && pre.at(-1 - tail)?.key === post.at(-1 - tail)?.key) tail++;
  const [left, right] = [pre, post].map((lines) => lines.slice(head, lines.length - tail)) as [FunctionLine[], FunctionLine[]];
  return [...marked(" ", post.slice(0, head)), ...mergeDiffering(left, right), ...marked(" ", post.slice(post.length - tail))];
}

function marked(mark: MergedLine["mark"], lines: readonly FunctionLine[]): MergedLine[] {
  return lines.map(({ offset, text }) => ({ mark, offset, text }));
}

function mergeDiffering(left: readonly FunctionLine[], right: readonly FunctionLine[]): MergedLine[] {
  const width = right.length + 1;
  if ((left.length + 1) * width > MOST_CELLS) return [...marked("-", left), ...marked("+", right)];
  const common = new Uint32Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i--)
    for (let j = right.length - 1; j >= 0; j--)
      common[i * width + j] =
        left[i]?.key === right[j]?.key
          ? (common[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(common[(i + 1) * width + j] ?? 0, common[i * width + j + 1] ?? 0);
  const merged: MergedLine[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const isCommon = i < left.length && j < right.length && left[i]?.key === right[j]?.key;
    const isGone = i < left.length && (j === right.length || (common[(i + 1) * width + j] ?? 0) >= (common[i * width + j + 1] ?? 0));
    const mark = isCommon ? " " : isGone ? "-" : "+";
    merged.push(...marked(mark, mark === "-" ? left.slice(i, i + 1) : right.slice(j, j + 1)));
    if (mark !== "+") i++;
    if (mark !== "-") j++;
  }
  return merged;
}
