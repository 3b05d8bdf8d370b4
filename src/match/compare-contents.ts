import type { ElfRelocation } from "../elf/model.js";
import type { Place } from "./pre-object.js";
import type { Reference } from "./reference.js";
import { hex, isEmptyRelocation, readField } from "./relocated-field.js";
import type { RunKernel } from "../run-kernel.js";

/** A part of a data object, in bytes from its start. */
export interface ByteRange {
  readonly offset: number;
  readonly size: number;
}

/** Where running data is not what the pre object says. */
export interface DataDifference {
  /** Byte offset in the object. */
  readonly offset: number;
  readonly reason: string;
  /** What the pre object has there, and what runs. */
  readonly expected: string;
  readonly actual: string;
}

/**
 * Compares a data object with the running kernel's.
 * @param fields the parts that count, with every relocated field that they touch; default: the whole object
 * @param note takes what a relocated field points to into the evidence; returns why that cannot be right, or undefined
 */
export function compareContents(
  place: Place,
  addr: bigint,
  run: RunKernel,
  fields: readonly ByteRange[] | undefined,
  note: (reference: Reference) => string | undefined,
): DataDifference | undefined {
  const { section, offset: start, name } = place;
  const ranges = fields ?? [{ offset: 0, size: place.size }];
  const size = Math.max(place.size, ...ranges.map((range) => range.offset + range.size));
  if (section === undefined || size === 0) return undefined;
  const actual = run.read(addr, size);
  if (actual === undefined) return { offset: 0, reason: `${name} cannot be read at ${hex(addr)}`, expected: "", actual: "" };
  const expected = new Uint8Array(size); // what is in no file (.bss) is 0
  expected.set(section.data.subarray(start, start + size));

  const counts = new Uint8Array(size);
  for (const range of ranges) counts.fill(1, range.offset, range.offset + range.size);
  for (const relocation of section.relocations) {
    const at = relocation.offset - start;
    const { size: width } = relocation.type;
    if (width === 0 || at < 0 || at + width > size) continue;
    if (!counts.subarray(at, at + width).includes(1)) continue;
    counts.fill(0, at, at + width);
    const pointsTo = readField(relocation, actual, at, addr);
    const conflict = note({ relocation, delta: relocation.addend, addr: pointsTo, offset: at });
    if (conflict !== undefined)
      return { offset: at, reason: `in ${name}+${hex(at)}: ${conflict}`, expected: nameTarget(relocation), actual: hex(pointsTo) };
  }
  const at = counts.findIndex((isCompared, index) => isCompared === 1 && expected[index] !== actual[index]);
  if (at < 0) return undefined;
  return {
    offset: at,
    reason: `the contents of ${name} differ at offset ${hex(at)}`,
    expected: showBytes(expected, at),
    actual: showBytes(actual, at),
  };
}

function nameTarget(relocation: ElfRelocation): string {
  const { symbol, addend } = relocation;
  if (isEmptyRelocation(relocation)) return "";
  return addend === 0 ? symbol.name : `${symbol.name}${addend < 0 ? "-" : "+"}${hex(Math.abs(addend))}`;
}

const SHOWN = 8;

function showBytes(bytes: Uint8Array, at: number): string {
  return Array.from(bytes.subarray(at, at + SHOWN), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
