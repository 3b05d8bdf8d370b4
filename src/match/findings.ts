import type { ElfRelocation } from "../elf/model.js";
import type { LiveCode, PatchSite } from "../arch/arch.js";
import type { UnitContext } from "./unit-context.js";
import { Evidence, type Difference } from "./evidence.js";
import { readImmediate } from "./immediates.js";
import type { PreCode } from "./pre-code.js";
import { kindOfSection } from "./pre-object.js";
import { readField } from "./relocated-field.js";
import { RunOffsets } from "./run-offsets.js";

/** A branch without relocation. Offsets of the section, and of the live bytes. */
interface Branch {
  readonly from: number;
  readonly target: number;
  readonly runFrom: number;
  readonly runTarget: number;
}

/** What comparing a function's code with live code has found out so far. */
export class Findings {
  evidence = new Evidence();
  /** The first. */
  difference: Difference | undefined;
  /** Pre offset → offset in the live bytes; empty while both run in step. */
  offsets = new RunOffsets();
  /** Branches inside the function: they must lead to the same instruction. */
  #branches: Branch[] = [];

  constructor(
    private readonly comparer: UnitContext,
    readonly code: PreCode,
    readonly live: LiveCode,
    /** Every byte of the pre code has its offset in the running code. */
    private readonly isInStep: boolean,
  ) {}

  differ(offset: number, runOffset: number, reason: string): false {
    this.difference ??= { offset: offset - this.code.start, runOffset, reason };
    return false;
  }

  /** Runs `compare`, and takes back what it noted if it fails. */
  attempt(compare: () => boolean): boolean {
    const { evidence, difference } = this;
    const branches = this.#branches;
    const offsets = this.isInStep ? undefined : this.offsets.copy();
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
      return known === undefined || this.comparer.references.isSameTarget(known.addr, addr);
    });
  }

  noteOffset(at: number, run: number): void {
    if (!this.isInStep) this.offsets.note(at, run);
  }

  noteBranch(branch: Branch): void {
    this.#branches.push(branch);
  }

  /** Takes what a relocation refers to into the evidence. @returns why that cannot be */
  note(relocation: ElfRelocation, delta: number, addr: bigint, offset: number): string | undefined {
    return this.comparer.references.note(this.evidence, { relocation, delta, addr: BigInt.asUintN(64, addr), offset });
  }

  /** Takes the live field at `at` into the evidence. `restOf`: bytes from the field's start to the end of its instruction, asked only where it matters. */
  noteField(relocation: ElfRelocation, at: number, restOf: () => number): string | undefined {
    const field = readField(relocation, this.live.bytes, at, this.live.addr);
    if (!relocation.type.pcRelative) return this.note(relocation, relocation.addend, field, at);
    const { home } = relocation.symbol;
    // The end of the instruction matters only where the symbol is a section that holds several things.
    const isSection = typeof home === "object" && "data" in home;
    const rest = isSection && kindOfSection(home) !== "text" ? restOf() : 4;
    return this.note(relocation, relocation.addend + rest, field + BigInt(rest), at);
  }

  /** Takes the live value at `at` into the evidence, if the site is a constant. */
  noteConstant(site: PatchSite | undefined, at: number): string | undefined {
    if (site?.constant === undefined) return undefined;
    return this.evidence.noteConstant(site.constant.table, readImmediate(this.live.bytes, at, site.size), at);
  }

  /** True if every branch leads to the same instruction on both sides. */
  branchesAgree(): boolean {
    const { start, end } = this.code;
    const { arch, run } = this.comparer;
    return this.#branches.every(({ from, target, runFrom, runTarget }) => {
      if (target < start || target > end) return this.#leadsOutside(from, target, runFrom, runTarget);
      const isSame = this.isInStep ? runTarget === target - start : this.offsets.leadsTo(target, runTarget);
      const agrees = isSame || (target === start && arch.sites.isEntryThunk(run, this.live.addr + BigInt(runTarget), this.live.addr));
      return agrees || this.differ(from, runFrom, "the jump leads elsewhere");
    });
  }

  /** A branch to another function of the same section, which the assembler resolved by itself. */
  #leadsOutside(from: number, target: number, runFrom: number, runTarget: number): boolean {
    const { section } = this.code;
    const reason = this.comparer.references.noteText(this.evidence, section, target, this.live.addr + BigInt(runTarget), runFrom);
    return reason === undefined || this.differ(from, runFrom, reason);
  }
}
