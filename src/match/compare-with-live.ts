import type { LiveCode } from "../arch/arch.js";
import type { UnitContext } from "./unit-context.js";
import { CodeAttempt } from "./code-attempt.js";
import type { Difference, Evidence } from "./evidence.js";
import type { PreCode } from "./pre-code.js";

export type LiveComparison =
  | {
      readonly kind: "equal";
      readonly evidence: Evidence;
      /** Bytes of the running code. */
      readonly runSize: number;
      /** Offset in the running code of an instruction of the pre code, both from the start of the function. */
      readonly offsetOf: (delta: number) => number | undefined;
      /** True if a jump to an instruction of the pre code may lead to this offset of the running code. */
      readonly leadsTo: (delta: number, runOffset: number) => boolean;
    }
  | { readonly kind: "different"; readonly difference: Difference };

/**
 * Compares a pre function with running code: first as bytes, with relocated fields and patch sites set apart; and where that fails,
 * instruction by instruction, as the running kernel was compiled without -ffunction-sections and may have shorter jumps and other padding.
 */
export function compareWithLive(comparer: UnitContext, code: PreCode, live: LiveCode): LiveComparison {
  const straight = new CodeAttempt(comparer, code, live, true);
  const sameSize = straight.compare();
  if (sameSize !== undefined) {
    const leadsTo = (delta: number, runOffset: number): boolean => delta === runOffset;
    return { kind: "equal", evidence: straight.evidence, runSize: sameSize, offsetOf: (delta) => delta, leadsTo };
  }
  const stepped = new CodeAttempt(comparer, code, live, false);
  const runSize = stepped.compare();
  if (runSize === undefined) {
    const difference = stepped.difference ?? straight.difference;
    if (difference === undefined) throw new Error("a comparison failed without a reason");
    return { kind: "different", difference };
  }
  return {
    kind: "equal",
    evidence: stepped.evidence,
    runSize,
    offsetOf: (delta) => stepped.offsets.find(code.start + delta),
    leadsTo: (delta, runOffset) => stepped.offsets.leadsTo(code.start + delta, runOffset),
  };
}
