import type { Architecture, DecodedInstruction, LiveCode, PatchSite, PreBranch, Replacement, SiteContext } from "../arch/arch.js";
import type { UnitContext } from "./unit-context.js";
import type { Difference, Evidence } from "./evidence.js";
import { Findings } from "./findings.js";
import { InstructionSteps } from "./instruction-steps.js";
import { siteReason, type PreCode } from "./pre-code.js";
import { isEmptyRelocation } from "./relocated-field.js";
import type { RunOffsets } from "./run-offsets.js";
import type { RunKernel } from "../run-kernel.js";

/** One attempt at comparing pre code with live code. */
export class CodeAttempt implements SiteContext {
  readonly run: RunKernel;
  readonly live: LiveCode;
  readonly #arch: Architecture;
  readonly #comparer: UnitContext;
  readonly #code: PreCode;
  readonly #findings: Findings;
  readonly #steps: InstructionSteps;
  #boundaries: readonly DecodedInstruction[] | undefined;

  /** @param isStraight byte for byte, at the same offsets; else instruction by instruction */
  constructor(
    comparer: UnitContext,
    code: PreCode,
    live: LiveCode,
    private readonly isStraight: boolean,
  ) {
    this.#arch = comparer.arch;
    this.#comparer = comparer;
    this.#code = code;
    this.live = live;
    this.run = comparer.run;
    this.#findings = new Findings(comparer, code, live, isStraight);
    this.#steps = new InstructionSteps(comparer.arch, this.#findings, this);
  }

  get evidence(): Evidence {
    return this.#findings.evidence;
  }

  /** The first difference, if there was one. */
  get difference(): Difference | undefined {
    return this.#findings.difference;
  }

  get offsets(): RunOffsets {
    return this.#findings.offsets;
  }

  /** Size of the running code in bytes if it is the same; undefined if it is not. */
  compare(): number | undefined {
    const { start, end } = this.#code;
    const runEnd = this.isStraight ? this.#compareBytes() : this.#steps.walk(this.#code, start, end, 0, this.live.bytes.length);
    return runEnd !== undefined && this.#findings.branchesAgree() ? runEnd : undefined;
  }

  /** The size if the code is the same byte for byte, outside of relocated fields and patch sites. */
  #compareBytes(): number | undefined {
    const { start, end, sites } = this.#code;
    if (this.live.bytes.length < end - start) return undefined;
    let at = start;
    for (const site of sites) {
      if (site.offset < at) continue; // inside the one before, which answers for it
      if (!this.#compareStraight(at, site.offset)) return undefined;
      const reason =
        this.#arch.sites.apply(this, site, site.offset - start) === site.size
          ? this.#findings.noteConstant(site, site.offset - start)
          : siteReason(site, this.#arch);
      if (reason !== undefined) {
        this.#findings.differ(site.offset, site.offset - start, reason);
        return undefined;
      }
      at = site.offset + site.size;
    }
    return this.#compareStraight(at, end) ? end - start : undefined;
  }

  /** Compares pre bytes from `from` to `to`, which hold no patch site, with the live bytes at the same offsets. */
  #compareStraight(from: number, to: number): boolean {
    const { section, start, relocations } = this.#code;
    const { bytes } = this.live;
    const { data } = section;
    for (let at = from; at < to;) {
      const relocation = relocations.get(at);
      if (relocation !== undefined && !isEmptyRelocation(relocation)) {
        const reason = this.#findings.noteField(relocation, at - start, () => this.#instructionEnd(at) - at);
        if (reason !== undefined) return this.#findings.differ(at, at - start, reason);
        at += relocation.type.size;
      } else if (data[at] === bytes[at - start]) at++;
      else return this.#findings.differ(at, at - start, "the instructions differ");
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

  matchesOriginal(site: PatchSite, at: number): boolean {
    return this.#steps.inside(site, () => this.#matches(this.#code, site.offset, site.size, at, at + site.size));
  }

  matchesReplacement({ section, offset, size: replacementSize }: Replacement, at: number, size: number): boolean {
    const code = this.#comparer.codeOf(section, offset, offset + replacementSize);
    return this.#matches(code, offset, replacementSize, at, at + size);
  }

  /** Whether `size` bytes of pre code stand at `at`, and filler from there to `limit`. */
  #matches(code: PreCode, offset: number, size: number, at: number, limit: number): boolean {
    return this.#findings.attempt(() => {
      const end = this.#steps.walk(code, offset, offset + size, at, limit);
      return end !== undefined && this.#arch.padding.isFiller(this.live.bytes, end, limit);
    });
  }

  leadsTo({ target, targetDelta, offset }: PreBranch, addr: bigint): boolean {
    return this.#findings.note(target, targetDelta, addr, offset) === undefined;
  }
}
