import { alignRows, type AlignedRow } from "./align-rows.js";
import { offsetText } from "./compare-records.js";
import type { EnumLayout } from "./compare-enums.js";
import type { Layout } from "./compare-types.js";
import { spellMember, type RecordLayout } from "./layout.js";

/** Rows on both sides of a difference that are shown with it. */
const CONTEXT = 3;

/** One line of a picture, on one side. */
interface Row {
  readonly text: string;
  /** What stands in the side's column: an offset, a value. */
  readonly place: string;
  /** In bits, or a value: how far a row moved. */
  readonly at: number;
  /** Bytes, as text; empty where it is not to be shown. */
  readonly size: string;
}

/**
 * Both layouts of a type in one list: offset in the running kernel, offset in the patched source, bytes, declaration. A line that only one
 * side has is marked `-` (running) or `+` (patched), one that has moved `~`. What is far from a difference is left out.
 * @returns lines without indentation at the first column
 */
export function drawLayouts(before: Layout, after: Layout): string[] {
  const [old, now] = [rowsOf(before), rowsOf(after)];
  const aligned = alignRows(old, now, (row) => `${row.text} ${row.size}`);
  const lines = [line(" ", "running", "patched", before.kind === "enum" ? "" : "size", ""), ...drawRows(aligned)];
  if (before.kind === "record" && after.kind === "record") {
    const [was, is] = [String(before.record.size), String(after.record.size)];
    lines.push(line(was === is ? " " : "~", was, is, "", "bytes in all"));
  }
  return lines;
}

function drawRows(aligned: readonly AlignedRow<Row>[]): string[] {
  const shown = chooseRows(aligned);
  const lines: string[] = [];
  for (let index = 0; index < aligned.length; index++) {
    const row = aligned[index];
    if (row === undefined) continue;
    if (shown[index] === true) {
      const { old, now } = row;
      const either = old ?? now;
      lines.push(line(markOf(row), old?.place ?? "", now?.place ?? "", either?.size ?? "", either?.text ?? ""));
      continue;
    }
    const end = shown.indexOf(true, index);
    const hidden = aligned.slice(index, end < 0 ? aligned.length : end);
    lines.push(line(hidden.some((entry) => markOf(entry) !== " ") ? "~" : " ", "…", "…", "", `${String(hidden.length)} more`));
    index += hidden.length - 1;
  }
  return lines;
}

function markOf({ old, now }: AlignedRow<Row>): "-" | "+" | "~" | " " {
  if (old === undefined) return "+";
  if (now === undefined) return "-";
  return old.at === now.at ? " " : "~";
}

/** Differences with their context. Of rows that moved by the same, one after the other, the first counts as a difference. */
function chooseRows(aligned: readonly AlignedRow<Row>[]): boolean[] {
  const shown = aligned.map(() => false);
  let shift = 0;
  aligned.forEach((row, index) => {
    const { old, now } = row;
    const rowShift = old === undefined || now === undefined ? shift : now.at - old.at;
    if (old !== undefined && now !== undefined && rowShift === shift) return;
    shift = rowShift;
    for (let near = Math.max(0, index - CONTEXT); near <= Math.min(aligned.length - 1, index + CONTEXT); near++) shown[near] = true;
  });
  // A gap of one line takes as much room as the line.
  return shown.map((isShown, index) => isShown || (shown[index - 1] !== false && shown[index + 1] !== false));
}

function line(mark: string, running: string, patched: string, size: string, text: string): string {
  return `${mark} ${running.padStart(8)} ${patched.padStart(8)} ${size.padStart(5)}  ${text}`.trimEnd();
}

function rowsOf(layout: Layout): Row[] {
  return layout.kind === "enum" ? enumRows(layout.enum) : recordRows(layout.record);
}

function enumRows({ enumerators }: EnumLayout): Row[] {
  return enumerators.map(({ name, value }) => ({ text: name, place: String(value), at: Number(value), size: "" }));
}

function recordRows(record: RecordLayout): Row[] {
  const rows: Row[] = [];
  const hole = (start: number, end: number): void => {
    if (end <= start) return;
    const inBytes = start % 8 === 0 && end % 8 === 0;
    const size = inBytes ? String((end - start) / 8) : "";
    const text = inBytes ? "(hole)" : `(hole of ${String(end - start)} bits)`;
    rows.push({ text, place: offsetText(start, !inBytes), at: start, size });
  };
  let covered = 0;
  // Members of unions start at one offset; they stay in their order.
  for (const member of [...record.members].sort((a, b) => a.bitOffset - b.bitOffset)) {
    if (!record.isUnion) hole(covered, member.bitOffset);
    covered = Math.max(covered, member.bitOffset + member.bitSize);
    rows.push({
      text: spellMember(record.btf, member),
      place: offsetText(member.bitOffset, member.isBitfield),
      at: member.bitOffset,
      size: member.isBitfield ? "" : String(member.bitSize / 8),
    });
  }
  hole(covered, record.size * 8);
  return rows;
}
