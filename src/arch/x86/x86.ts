import type { Architecture } from "../arch.js";
import { X86_64 } from "../machine/x86-64.js";
import { displacementSize, isBranchField } from "./branches.js";
import { decode, decodeOne, findComputedPlaces, holdsImmediate, mayBeConstant, MAX_INSTRUCTION_SIZE } from "./decode.js";
import { comparesWith } from "./compares-with.js";
import { disassemble } from "./disassemble.js";
import { findReferences } from "./find-references.js";
import { findForeignPatch } from "./foreign-patch.js";
import { KERNEL_MAP_ADDR } from "./memory.js";
import { isFiller, nopRunLength, paddingLength, trapLength } from "./nops.js";
import { isCallDepthThunk } from "./sites/call-depth.js";
import { collectPatchSites, endbrSite } from "./sites/patch-sites.js";
import { findRuntimeConstant } from "./sites/runtime-constants.js";
import { applySiteRule, isSealedEntry, nameOfSite } from "./sites/site-rules.js";
import { findTrampolineSite, TRAMPOLINE_SIZE } from "./sites/trampoline-site.js";

/** 64-bit x86. */
export const X86: Architecture = {
  name: "x86_64",
  machine: X86_64,
  source: {
    directory: "arch/x86",
    ownImages: ["boot", "realmode", "purgatory", "entry/vdso", "um", "tools"],
    startImages: ["boot"],
    // Prefixed with __pi_ (arch/x86/boot/startup/Makefile, Linux 7): of it come snp_cpuid(), svsm_issue_call(), and what other processors start with.
    startCode: ["boot/startup"],
    bootImage: "boot/bzImage",
    thunkPrefix: "__x86_",
  },
  tools: { prefix: "x86_64-linux-gnu-", linkerEmulation: "elf_x86_64" },
  memory: { kernelMapAddr: KERNEL_MAP_ADDR },
  code: {
    maxInstructionSize: MAX_INSTRUCTION_SIZE,
    ...{
      decode,
      decodeOne,
      disassemble,
      displacementSize,
      isBranchField,
      holdsImmediate,
      mayBeConstant,
      comparesWith,
      findComputedPlaces,
      findReferences,
      findForeignPatch,
    },
  },
  // -falign-jumps and -falign-loops: 16, or 8 where that takes less padding
  padding: { leastAlignment: 8n, maxSize: 15, nopRunLength, isFiller, paddingLength, trapLength },
  sites: {
    collect: collectPatchSites,
    atEntry: endbrSite,
    isSealedEntry,
    apply: applySiteRule,
    nameOf: nameOfSite,
    findRuntimeConstant,
    isEntryThunk: isCallDepthThunk,
  },
  trampoline: { size: TRAMPOLINE_SIZE, findSite: findTrampolineSite },
};
