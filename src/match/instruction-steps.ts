import type { Architecture, DecodedInstruction, PatchSite, SiteContext } from "../arch/arch.js";
import type { Findings } from "./findings.js";
import { nextSite, relocationIn, siteReason, type PreCode } from "./pre-code.js";
import { isEmptyRelocation } from "./relocated-field.js";

/** Bytes that both sides move on by. */
interface Step {
  readonly size: number;
  readonly runSize: number;
}

/** Goes through pre code and live code instruction by instruction. */
export class InstructionSteps {
  readonly #arch: Architecture;
  readonly #findings: Findings;
  readonly #context: SiteContext;
  /** Sites whose rule is being applied: what they hold is compared without them. */
  readonly #open = new Set<PatchSite>();

  /** @param context what the rule of a patch site may ask */
  constructor(arch: Architecture, findings: Findings, context: SiteContext) {
    this.#arch = arch;
    this.#findings = findings;
    this.#context = context;
  }

  /** Runs `compare` as if there were no site. */
  inside(site: PatchSite, compare: () => boolean): boolean {
    this.#open.add(site);
    const answer = compare();
    this.#open.delete(site);
    return answer;
  }

  /**
   * Steps through pre code from `from` to `to` and live code from `runFrom` on, at most to `limit`.
   * @returns the end of the live code; undefined if they differ
   */
  walk(code: PreCode, from: number, to: number, runFrom: number, limit: number): number | undefined {
    const isOwn = code === this.#findings.code;
    let at = from;
    let run = runFrom;
    while (at < to) {
      if (isOwn) this.#findings.noteOffset(at, run);
      const site = this.#siteAt(code, at);
      const step = site === undefined ? this.#step(code, at, to, run, limit) : this.#stepSite(site, run);
      if (step === undefined) return undefined;
      at += step.size;
      run += step.runSize;
    }
    if (isOwn) this.#findings.noteOffset(at, run);
    return run > limit ? undefined : run;
  }

  #siteAt(code: PreCode, at: number): PatchSite | undefined {
    return code.sites.find((site) => site.offset === at && !this.#open.has(site));
  }

  #stepSite(site: PatchSite, run: number): Step | undefined {
    const runSize = this.#arch.sites.apply(this.#context, site, run);
    if (runSize > 0) return { size: site.size, runSize };
    // Padding that only the running code has in front of the site.
    const padding =
      this.#open.size === 0 ? this.#arch.padding.nopRunLength(this.#findings.live.bytes, run, run + this.#arch.padding.maxSize) : 0;
    if (padding > 0 && this.#isAligned(this.#findings.live.addr + BigInt(run + padding), padding)) return { size: 0, runSize: padding };
    this.#findings.differ(site.offset, run, siteReason(site, this.#arch));
    return undefined;
  }

  /** True if padding of this size may end at `addr`. */
  #isAligned(addr: bigint, padding: number): boolean {
    return padding === 0 || addr % this.#arch.padding.leastAlignment === 0n;
  }

  /** One instruction, or no-ops that stand on either side. */
  #step(code: PreCode, at: number, to: number, run: number, limit: number): Step | undefined {
    const { bytes } = this.#findings.live;
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
    let runSize = this.#arch.padding.nopRunLength(this.#findings.live.bytes, run, limit);
    // What follows may be a patch site that holds a no-op by itself.
    const before = code.sites.some((site) => site.offset === at + size)
      ? this.#arch.padding.nopRunLength(this.#findings.live.bytes, run, run + size)
      : runSize;
    if (before === size) runSize = before;
    if (this.#open.size > 0) return size === 0 && runSize === 0 ? undefined : { size, runSize };
    // Equal length and other bytes: the kernel does that at its patch sites, no assembler does.
    if (size === runSize) return undefined;
    if (!this.#isAligned(this.#findings.live.addr + BigInt(run + runSize), runSize) || !this.#isAligned(BigInt(at + size), size))
      return undefined;
    return { size, runSize };
  }

  #stepBranch(code: PreCode, pre: DecodedInstruction, live: DecodedInstruction): Step | undefined {
    const step = { size: pre.size, runSize: live.size + this.#trapsAfter(pre, live) };
    const runTarget = live.branchTarget ?? 0;
    const target = pre.branchTarget ?? 0;
    if (pre.size === live.size && !this.#sameOpcode(code, pre, live)) return this.#fail(pre.offset, live.offset, "the instructions differ");
    const relocation = relocationIn(code, pre.offset, pre.size);
    if (relocation !== undefined) {
      const delta = relocation.addend + (pre.offset + pre.size - relocation.offset);
      const reason = this.#findings.note(relocation, delta, this.#findings.live.addr + BigInt(runTarget), live.offset);
      return reason === undefined ? step : this.#fail(pre.offset, live.offset, reason);
    }
    // Inside a replacement, a branch without relocation stays inside it.
    if (code !== this.#findings.code && target - pre.offset !== runTarget - live.offset)
      return this.#fail(pre.offset, live.offset, "the jump leads elsewhere");
    if (code === this.#findings.code) this.#findings.noteBranch({ from: pre.offset, target, runFrom: live.offset, runTarget });
    return step;
  }

  /** Traps that fill the room that a jump left when it was made shorter. */
  #trapsAfter(pre: DecodedInstruction, live: DecodedInstruction): number {
    const end = live.offset + live.size;
    const count = pre.branch === "jmp" ? this.#arch.padding.trapLength(this.#findings.live.bytes, end, live.offset + pre.size) : 0;
    return live.size + count === pre.size ? count : 0;
  }

  /** True if two branches of the same size are the same up to their displacement. */
  #sameOpcode(code: PreCode, pre: DecodedInstruction, live: DecodedInstruction): boolean {
    const opcodeSize = pre.size - this.#arch.code.displacementSize(pre);
    for (let index = 0; index < opcodeSize; index++) {
      if (code.section.data[pre.offset + index] !== this.#findings.live.bytes[live.offset + index]) return false;
    }
    return true;
  }

  #fail(offset: number, runOffset: number, reason: string): Step | undefined {
    this.#findings.differ(offset, runOffset, reason);
    return undefined;
  }

  #sameBytes(code: PreCode, at: number, run: number, size: number): boolean {
    const { section, relocations } = code;
    for (let index = 0; index < size; index++) {
      const operand = index === 0 ? undefined : this.#siteAt(code, at + index);
      const relocation = relocations.get(at + index);
      if (operand?.constant !== undefined && this.#arch.sites.apply(this.#context, operand, run + index) > 0) index += operand.size - 1;
      else if (relocation !== undefined && !isEmptyRelocation(relocation)) {
        index += relocation.type.size - 1;
      } else if (section.data[at + index] !== this.#findings.live.bytes[run + index]) return false;
    }
    return true;
  }

  #noteInstruction(code: PreCode, at: number, run: number, size: number): string | undefined {
    for (let index = 0; index < size; index++) {
      const conflict = index === 0 ? undefined : this.#findings.noteConstant(this.#siteAt(code, at + index), run + index);
      if (conflict !== undefined) return conflict;
      const relocation = code.relocations.get(at + index);
      if (relocation === undefined || isEmptyRelocation(relocation)) continue;
      const reason = this.#findings.noteField(relocation, run + index, () => size - index);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }
}
