import type { ElfRelocation, ElfSection } from "../elf/model.js";
import type { Architecture, DecodedInstruction, LiveCode, PatchSite, PreBranch, Replacement, SiteContext } from "../arch/arch.js";
import { Evidence, type Difference } from "./evidence.js";
import { nextSite, relocationIn, siteReason, type PreCode } from "./pre-code.js";
import { RunOffsets } from "./run-offsets.js";
import { readImmediate } from "./immediates.js";
import type { References } from "./references.js";
import { isEmptyRelocation, readField } from "./relocated-field.js";
import { kindOfSection } from "./pre-object.js";
import type { RunKernel } from "../run-kernel.js";

/** Everything about the unit that comparing one function needs. */
export interface CodeComparer {
  readonly arch: Architecture;
  readonly run: RunKernel;
  readonly references: References;
  codeOf(section: ElfSection, start: number, end: number): PreCode;
}

/** Bytes that both sides move on by. */
interface Step {
  readonly size: number;
  readonly runSize: number;
}

/** One attempt at comparing pre code with live code. */
export class Comparison implements SiteContext {
  evidence = new Evidence();
  difference: Difference | undefined;
  readonly run: RunKernel;
  readonly live: LiveCode;
  /** Pre offset → offset in the live bytes; empty while both run in step. */
  offsets = new RunOffsets();
  readonly #arch: Architecture;
  readonly #comparer: CodeComparer;
  readonly #code: PreCode;
  /** Branches inside the function: they must lead to the same instruction. */
  #branches: { from: number; target: number; runFrom: number; runTarget: number }[] = [];
  /** Sites whose rule is being applied: what they hold is compared without them. */
  readonly #open = new Set<PatchSite>();
  #boundaries: readonly DecodedInstruction[] | undefined;
  #inStep = false;

  constructor(comparer: CodeComparer, code: PreCode, live: LiveCode) {
    this.#arch = comparer.arch;
    this.#comparer = comparer;
    this.#code = code;
    this.live = live;
    this.run = comparer.run;
  }

  /** True if the code is the same byte for byte, outside of relocated fields and patch sites. */
  compareBytes(): boolean {
    this.#inStep = true;
    const { start, end, sites } = this.#code;
    if (this.live.bytes.length < end - start) return false;
    let at = start;
    for (const site of sites) {
      if (site.offset < at) continue; // inside the one before, which answers for it
      if (!this.#compareStraight(at, site.offset)) return false;
      if (this.#arch.sites.apply(this, site, site.offset - start) !== site.size)
        return this.#differ(site.offset, site.offset - start, siteReason(site, this.#arch));
      const reason = this.#noteConstant(site, site.offset - start);
      if (reason !== undefined) return this.#differ(site.offset, site.offset - start, reason);
      at = site.offset + site.size;
    }
    return this.#compareStraight(at, end) && this.#checkBranches();
  }

  /** Size of the running code in bytes if it is the same instruction for instruction; undefined if it is not. */
  compareInstructions(): number | undefined {
    const { start, end } = this.#code;
    const runEnd = this.#walk(this.#code, start, end, 0, this.live.bytes.length);
    if (runEnd === undefined || !this.#checkBranches()) return undefined;
    return runEnd;
  }

  matchesOriginal(site: PatchSite, at: number): boolean {
    this.#open.add(site);
    const matches = this.#attempt(() => {
      const limit = at + site.size;
      const end = this.#walk(this.#code, site.offset, site.offset + site.size, at, limit);
      return end !== undefined && this.#arch.padding.isFiller(this.live.bytes, end, limit);
    });
    this.#open.delete(site);
    return matches;
  }

  matchesReplacement({ section, offset, size: replacementSize }: Replacement, at: number, size: number): boolean {
    return this.#attempt(() => {
      const code = this.#comparer.codeOf(section, offset, offset + replacementSize);
      const end = this.#walk(code, offset, offset + replacementSize, at, at + size);
      return end !== undefined && this.#arch.padding.isFiller(this.live.bytes, end, at + size);
    });
  }

  leadsTo({ target, targetDelta, offset }: PreBranch, addr: bigint): boolean {
    return this.#note(target, targetDelta, addr, offset) === undefined;
  }

  /** Runs `compare`, and takes back what it noted if it fails. */
  #attempt(compare: () => boolean): boolean {
    const { evidence, difference } = this;
    const branches = this.#branches;
    const offsets = this.#inStep ? undefined : this.offsets.copy();
    this.evidence = new Evidence();
    this.#branches = [];
    const isEqual = compare() && this.#agrees(evidence, this.evidence);
    if (isEqual) {
      evidence.addAll(this.evidence);
      branches.push(...this.#branches);
    } else if (offsets !== undefined) this.offsets = offsets;
    this.evidence = evidence;
    this.#branches = branches;
    this.difference = difference;
    return isEqual;
  }

  #agrees(before: Evidence, after: Evidence): boolean {
    for (const [table, { value }] of after.constants) if ((before.constants.get(table)?.value ?? value) !== value) return false;
    return [...after.bindings.values()].every(({ place, addr }) => {
      const known = before.bindings.get(place);
      return known === undefined || this.#comparer.references.isSameTarget(known.addr, addr);
    });
  }

  #differ(offset: number, runOffset: number, reason: string): false {
    this.difference ??= { offset: offset - this.#code.start, runOffset, reason };
    return false;
  }

  /** Compares pre bytes from `from` to `to`, which hold no patch site, with the live bytes at the same offsets. */
  #compareStraight(from: number, to: number): boolean {
    const { section, start, relocations } = this.#code;
    const { bytes } = this.live;
    const { data } = section;
    for (let at = from; at < to;) {
      const relocation = relocations.get(at);
      if (relocation !== undefined && !isEmptyRelocation(relocation)) {
        const reason = this.#noteField(relocation, at - start, () => this.#instructionEnd(at) - at);
        if (reason !== undefined) return this.#differ(at, at - start, reason);
        at += relocation.type.size;
      } else if (data[at] === bytes[at - start]) at++;
      else return this.#differ(at, at - start, "the instructions differ");
    }
    return true;
  }

  /** End of the pre instruction that holds the byte at `at`. */
  #instructionEnd(at: number): number {
    const { section, start, end } = this.#code;
    this.#boundaries ??= this.#arch.code.decode(section.data.subarray(start, end));
    const instruction = this.#boundaries.find(({ offset, size }) => start + offset <= at && at < start + offset + size);
    return instruction === undefined ? at + 4 : start + instruction.offset + instruction.size;
  }

  /** Takes the live field at `at` into the evidence. `restOf`: bytes from the field's start to the end of its instruction, asked only where it matters. */
  #noteField(relocation: ElfRelocation, at: number, restOf: () => number): string | undefined {
    const field = readField(relocation, this.live.bytes, at, this.live.addr);
    if (!relocation.type.pcRelative) return this.#note(relocation, relocation.addend, field, at);
    const { home } = relocation.symbol;
    // The end of the instruction matters only where the symbol is a section that holds several things.
    const isSection = typeof home === "object" && "data" in home;
    const rest = isSection && kindOfSection(home) !== "text" ? restOf() : 4;
    return this.#note(relocation, relocation.addend + rest, field + BigInt(rest), at);
  }

  /** Takes the live value at `at` into the evidence, if the site is a constant. */
  #noteConstant(site: PatchSite | undefined, at: number): string | undefined {
    if (site?.constant === undefined) return undefined;
    return this.evidence.noteConstant(site.constant.table, readImmediate(this.live.bytes, at, site.size), at);
  }

  #note(relocation: ElfRelocation, delta: number, addr: bigint, offset: number): string | undefined {
    return this.#comparer.references.note(this.evidence, { relocation, delta, addr: BigInt.asUintN(64, addr), offset });
  }

  /**
   * Steps through pre code from `from` to `to` and live code from `runFrom` on, at most to `limit`.
   * @returns the end of the live code; undefined if they differ
   */
  #walk(code: PreCode, from: number, to: number, runFrom: number, limit: number): number | undefined {
    const isOwn = code === this.#code;
    let at = from;
    let run = runFrom;
    while (at < to) {
      if (isOwn) this.#noteOffset(at, run);
      const site = this.#siteAt(code, at);
      const step = site === undefined ? this.#step(code, at, to, run, limit) : this.#stepSite(site, run);
      if (step === undefined) return undefined;
      at += step.size;
      run += step.runSize;
    }
    if (isOwn) this.#noteOffset(at, run);
    return run > limit ? undefined : run;
  }

  #siteAt(code: PreCode, at: number): PatchSite | undefined {
    return code.sites.find((site) => site.offset === at && !this.#open.has(site));
  }

  #stepSite(site: PatchSite, run: number): Step | undefined {
    const runSize = this.#arch.sites.apply(this, site, run);
    if (runSize > 0) return { size: site.size, runSize };
    // Padding that only the running code has in front of the site.
    const padding = this.#open.size === 0 ? this.#arch.padding.nopRunLength(this.live.bytes, run, run + this.#arch.padding.maxSize) : 0;
    if (padding > 0 && this.#isAligned(this.live.addr + BigInt(run + padding), padding)) return { size: 0, runSize: padding };
    this.#differ(site.offset, run, siteReason(site, this.#arch));
    return undefined;
  }

  /** True if padding of this size may end at `addr`. */
  #isAligned(addr: bigint, padding: number): boolean {
    return padding === 0 || addr % this.#arch.padding.leastAlignment === 0n;
  }

  #noteOffset(at: number, run: number): void {
    if (!this.#inStep) this.offsets.note(at, run);
  }

  /** One instruction, or no-ops that stand on either side. */
  #step(code: PreCode, at: number, to: number, run: number, limit: number): Step | undefined {
    const { bytes } = this.live;
    const pre = this.#arch.code.decodeOne(code.section.data, at);
    const live = this.#arch.code.decodeOne(bytes, run);
    if (pre === undefined || live === undefined || run >= limit) return this.#fail(at, run, "the running code ends here");
    if (pre.branch !== undefined && pre.branch === live.branch) return this.#stepBranch(code, pre, live);
    if (pre.size === live.size && this.#sameBytes(code, at, run, pre.size)) {
      const reason = this.#noteInstruction(code, at, run, pre.size);
      return reason === undefined ? { size: pre.size, runSize: live.size } : this.#fail(at, run, reason);
    }
    return this.#stepPadding(code, at, to, run, limit) ?? this.#fail(at, run, "the instructions differ");
  }

  /** No-ops on either side, of different length: the two were aligned from different addresses. */
  #stepPadding(code: PreCode, at: number, to: number, run: number, limit: number): Step | undefined {
    const size = this.#arch.padding.nopRunLength(code.section.data, at, nextSite(code, at, to));
    let runSize = this.#arch.padding.nopRunLength(this.live.bytes, run, limit);
    // What follows may be a patch site that holds a no-op by itself.
    const before = code.sites.some((site) => site.offset === at + size)
      ? this.#arch.padding.nopRunLength(this.live.bytes, run, run + size)
      : runSize;
    if (before === size) runSize = before;
    if (this.#open.size > 0) return size === 0 && runSize === 0 ? undefined : { size, runSize };
    // Equal length and other bytes: the kernel does that at its patch sites, no assembler does.
    if (size === runSize) return undefined;
    if (!this.#isAligned(this.live.addr + BigInt(run + runSize), runSize) || !this.#isAligned(BigInt(at + size), size)) return undefined;
    return { size, runSize };
  }

  #stepBranch(code: PreCode, pre: DecodedInstruction, live: DecodedInstruction): Step | undefined {
    const step = { size: pre.size, runSize: live.size + this.#trapsAfter(pre, live) };
    const runTarget = live.target ?? 0;
    const target = pre.target ?? 0;
    if (pre.size === live.size && !this.#sameOpcode(code, pre, live)) return this.#fail(pre.offset, live.offset, "the instructions differ");
    const relocation = relocationIn(code, pre.offset, pre.size);
    if (relocation !== undefined) {
      const delta = relocation.addend + (pre.offset + pre.size - relocation.offset);
      const reason = this.#note(relocation, delta, this.live.addr + BigInt(runTarget), live.offset);
      return reason === undefined ? step : this.#fail(pre.offset, live.offset, reason);
    }
    // Inside a replacement, a branch without relocation stays inside it.
    if (code !== this.#code && target - pre.offset !== runTarget - live.offset)
      return this.#fail(pre.offset, live.offset, "the jump leads elsewhere");
    if (code === this.#code) this.#branches.push({ from: pre.offset, target, runFrom: live.offset, runTarget });
    return step;
  }

  /** Traps that fill the room that a jump left when it was made shorter. */
  #trapsAfter(pre: DecodedInstruction, live: DecodedInstruction): number {
    const end = live.offset + live.size;
    const count = pre.branch === "jmp" ? this.#arch.padding.trapLength(this.live.bytes, end, live.offset + pre.size) : 0;
    return live.size + count === pre.size ? count : 0;
  }

  /** True if two branches of the same size are the same up to their displacement. */
  #sameOpcode(code: PreCode, pre: DecodedInstruction, live: DecodedInstruction): boolean {
    const opcodeSize = pre.size - this.#arch.code.displacementSize(pre);
    for (let index = 0; index < opcodeSize; index++) {
      if (code.section.data[pre.offset + index] !== this.live.bytes[live.offset + index]) return false;
    }
    return true;
  }

  #fail(offset: number, runOffset: number, reason: string): Step | undefined {
    this.#differ(offset, runOffset, reason);
    return undefined;
  }

  #checkBranches(): boolean {
    const { start, end } = this.#code;
    return this.#branches.every(({ from, target, runFrom, runTarget }) => {
      if (target < start || target > end) return this.#checkOutside(from, target, runFrom, runTarget);
      const isSame = this.#inStep ? runTarget === target - start : this.offsets.leadsTo(target, runTarget);
      const agrees =
        isSame || (target === start && this.#arch.sites.isEntryThunk(this.run, this.live.addr + BigInt(runTarget), this.live.addr));
      return agrees || this.#differ(from, runFrom, "the jump leads elsewhere");
    });
  }

  /** A branch to another function of the same section, which the assembler resolved by itself. */
  #checkOutside(from: number, target: number, runFrom: number, runTarget: number): boolean {
    const { section } = this.#code;
    const reason = this.#comparer.references.noteText(this.evidence, section, target, this.live.addr + BigInt(runTarget), runFrom);
    return reason === undefined || this.#differ(from, runFrom, reason);
  }

  #sameBytes(code: PreCode, at: number, run: number, size: number): boolean {
    const { section, relocations } = code;
    for (let index = 0; index < size; index++) {
      const operand = index === 0 ? undefined : this.#siteAt(code, at + index);
      const relocation = relocations.get(at + index);
      if (operand?.constant !== undefined && this.#arch.sites.apply(this, operand, run + index) > 0) index += operand.size - 1;
      else if (relocation !== undefined && !isEmptyRelocation(relocation)) {
        index += relocation.type.size - 1;
      } else if (section.data[at + index] !== this.live.bytes[run + index]) return false;
    }
    return true;
  }

  #noteInstruction(code: PreCode, at: number, run: number, size: number): string | undefined {
    for (let index = 0; index < size; index++) {
      const conflict = index === 0 ? undefined : this.#noteConstant(this.#siteAt(code, at + index), run + index);
      if (conflict !== undefined) return conflict;
      const relocation = code.relocations.get(at + index);
      if (relocation === undefined || isEmptyRelocation(relocation)) continue;
      const reason = this.#noteField(relocation, run + index, () => size - index);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }
}
