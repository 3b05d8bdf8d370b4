import type { Architecture } from "../arch/arch.js";
import type { ElfSection } from "../elf/model.js";
import type { PreCode } from "./pre-code.js";
import type { References } from "./references.js";
import type { RunKernel } from "../run-kernel.js";

/** Everything about the unit that comparing one function needs. */
export interface UnitContext {
  readonly arch: Architecture;
  readonly run: RunKernel;
  readonly references: References;
  codeOf(section: ElfSection, start: number, end: number): PreCode;
}
