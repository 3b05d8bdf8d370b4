import { disassembleFunction, mergeLines, type MergedLine } from "../src/diff/listing/disassemble-function.js";
import type { ObjectDiff } from "../src/diff/object-diff.js";
import type { FunctionChange } from "../src/diff/types.js";
import type { UnitDiff } from "../src/update/units/unit-diff.js";
import type { ChangedItem, FixResult } from "./types.js";

/** Instructions shown around one that differs. */
const CONTEXT = 3;
/** Longest listing kept of one function; a report of a thousand files has to open. */
const MOST_LINES = 120;

/** What the units of an update change, for the report. */
export function describeDiffs(diffs: readonly UnitDiff[]): Pick<FixResult, "changed" | "added" | "removed" | "data"> {
  const item = ({ unit }: UnitDiff, name: string, why: string): ChangedItem => ({ unit: unit.path, target: unit.target, name, why });
  return {
    changed: diffs.flatMap((entry) =>
      entry.diff.functions.changed.map((change) => ({
        ...item(entry, change.name, change.reasons.join(", ")),
        disassembly: disassembleChange(change, entry.diff),
      })),
    ),
    added: diffs.flatMap((entry) => entry.diff.functions.new.map(({ name }) => item(entry, name, "new"))),
    removed: diffs.flatMap((entry) => entry.diff.functions.removed.map(({ name }) => item(entry, name, "removed"))),
    data: diffs.flatMap((entry) => [
      ...entry.diff.data.changed.map(({ name, how }) => item(entry, name, how ?? "changed")),
      ...entry.diff.data.new.map(({ name }) => item(entry, name, "new")),
    ]),
  };
}

/** Both versions of a function in one list, `-` only before, `+` only after; without the stretches that are the same. */
function disassembleChange({ pre, post }: FunctionChange, diff: ObjectDiff): string[] {
  if (pre === undefined || post === undefined) return [];
  const merged = mergeLines(disassembleFunction(pre, diff.pre), disassembleFunction(post, diff.post));
  const lines: string[] = [];
  let shown = -1;
  merged.forEach((line, index) => {
    if (!isNearChange(merged, index)) return;
    if (index > shown + 1) lines.push("   …");
    shown = index;
    lines.push(`${line.mark} +0x${line.offset.toString(16)}  ${line.text}`);
  });
  return lines.length <= MOST_LINES ? lines : [...lines.slice(0, MOST_LINES), `   … ${lines.length - MOST_LINES} lines more`];
}

function isNearChange(lines: readonly MergedLine[], index: number): boolean {
  return lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ mark }) => mark !== " ");
}
