import { Refusal } from "../diagnostics.js";
import type { DiffRefusal } from "./types.js";

/** What the differ refuses: one factory a message. The codes are stable. */

export function changedData(symbol: string): DiffRefusal {
  return {
    code: "changed-data",
    symbol,
    message: `the initial value of ${symbol} changes: the running kernel's copy was made from the old one, and may have been changed since. A hook of the patch can give it the new value (ksplice_apply, docs/core.md#hooks), where nobody relies on the old one`,
  };
}

/** One for all messages of a unit: `#define DEBUG` turns on all of them. */
export function changedDebugMessages(): DiffRefusal {
  return {
    code: "changed-data",
    symbol: "__dyndbg",
    message:
      "whether debugging messages are on from the start changes (DEBUG): the running kernel's descriptors were made for the old code, and the jump labels of the new one do not fit them",
  };
}

export function changedDataSize(symbol: string, preSize: number, postSize: number): DiffRefusal {
  return {
    code: "changed-data-size",
    symbol,
    message: `${symbol} grows or shrinks from ${preSize} to ${postSize} bytes: what the running kernel holds cannot be resized`,
  };
}

export function changedDataKind(symbol: string, preSection: string, postSection: string): DiffRefusal {
  return {
    code: "changed-data-section",
    symbol,
    message: `${symbol} moves from section ${preSection} to ${postSection}: what the running kernel holds cannot be moved`,
  };
}

/** @param memory what is special about it, in words */
export function changedMemory(symbol: string, memory: string): DiffRefusal {
  return {
    code: "changed-data-section",
    symbol,
    message: `${symbol} lies in memory that is ${memory} before the patch, and not after it: what the running kernel holds cannot be moved`,
  };
}

/** @param memory what would be special about it, in words */
export function specialMemory(symbol: string, memory: string): DiffRefusal {
  return {
    code: "changed-data-section",
    symbol,
    message: `${symbol} is to lie in memory that is ${memory}, and no module's data does: it is where the kernel put it when it started`,
  };
}

export function changedAlignment(symbol: string, before: number, after: number): DiffRefusal {
  return {
    code: "changed-alignment",
    symbol,
    message: `${symbol} is aligned to ${after} bytes instead of ${before}: what the running kernel holds stays where it is`,
  };
}

/** @param reader a function that does not change and reads the constant; undefined for a global one, which other units may read */
export function changedConstant(symbol: string, reader: string | undefined): DiffRefusal {
  const why = reader === undefined ? "and other units may read it" : `and ${reader}, which does not change, goes on using the old one`;
  return { code: "changed-data", symbol, message: `the constant ${symbol} changes, ${why}` };
}

/** @param reader initialization code that may have given the constant's address to somebody */
export function constantHeld(symbol: string, reader: string): DiffRefusal {
  return {
    code: "changed-data",
    symbol,
    message: `the constant ${symbol} changes so that it cannot be rewritten where it is, and ${reader}, which has run, may have handed out the address of the old one`,
  };
}

/** @param reader what has the table besides the function that it leads into; undefined for a table that may be written to */
export function labelsHeld(symbol: string, reader: string | undefined): DiffRefusal {
  const why = reader === undefined ? "and it may have been written to" : `and ${reader}, which does not change, has it too`;
  return {
    code: "changed-data",
    symbol,
    message: `${symbol} holds addresses of labels in a function that changes, ${why}: it would lead from new code into the old`,
  };
}

/** @param reader a function that compares its address with what objects hold */
export function toldByAddress(symbol: string, reader: string): DiffRefusal {
  return {
    code: "told-by-address",
    symbol,
    message: `the constant ${symbol} gets another size, so that the patched code has it at another address, and ${reader} compares pointers with it: objects that are alive hold the old one's. Keep its size, and put what is new into a table of its own`,
  };
}

/** @param owner the code that gives it to `callee` */
export function registeredTable(symbol: string, owner: string, callee: string): DiffRefusal {
  return {
    code: "registered-table",
    symbol,
    message: `the constant ${symbol} changes, and ${owner} gives it to ${callee}, which takes back what was registered with it: what is registered now was made of the old one, and would not be found, or what was never registered would be looked for. Leave it as it is, and register what is new with a table of its own`,
  };
}

/** @param owner the code that gives it to `callee` */
export function registeredNames(symbol: string, owner: string, callee: string): DiffRefusal {
  return {
    code: "registered-table",
    symbol,
    message: `a text of the constant ${symbol} changes, and ${owner} gives it to ${callee}: if that has filed it under this text, it is not found any more, nor what lies behind it`,
  };
}

/** @param target what its pointer leads to before the patch */
export function emptiedPointer(symbol: string, target: string): DiffRefusal {
  return {
    code: "emptied-pointer",
    symbol,
    message: `${target} goes from ${symbol}, and NULL has its place: objects that are alive, or threads that sleep, may have noted that it is there, and would call NULL. Leave a function in its place that does what is done where there is none`,
  };
}

export function changedOwner(symbol: string): DiffRefusal {
  return {
    code: "changed-owner",
    symbol,
    message: `the owner of ${symbol} (THIS_MODULE) comes or goes: what is open or in use was opened without a reference of the module and would give one back, or the reverse. Leave it as it is; a module that is loaded anew has it right`,
  };
}

/** @param before a function that pointers were compared with before the patch, and that is gone with it. @param reader the code that compares with `symbol` */
export function functionToldByAddress(symbol: string, before: string, reader: string): DiffRefusal {
  return {
    code: "told-by-address",
    symbol,
    message: `${symbol} is new, and ${reader} compares pointers with it, as was done with ${before}, which is gone: objects that are alive hold the address of ${before}, and would not be known any more. Keep that name for what they lead to`,
  };
}

export function splitState(pre: string, post: string): DiffRefusal {
  const what =
    pre === post
      ? `whether ${post} is the same object before and after the patch cannot be told`
      : `whether ${post}, which is new, is what was called ${pre} before cannot be told`;
  return {
    code: "split-state",
    symbol: post,
    message: `${what}: the running kernel's value would be taken for another's, or be lost`,
  };
}

/** @param before, after all names of what it stands for on each side, its own included */
export function changedAlias(symbol: string, before: readonly string[], after: readonly string[]): DiffRefusal {
  const describe = (names: readonly string[]): string => {
    const others = names.filter((name) => name !== symbol);
    return others.length === 0 ? "stands for itself alone" : `names the same as ${others.join(" and ")}`;
  };
  return {
    code: "changed-alias",
    symbol,
    message: `${symbol} ${describe(before)} before the patch, and ${describe(after)} after it: who calls which cannot be told in the running kernel`,
  };
}

/** @param before what had the place that the function of that name has after the patch */
export function exchangedName(symbol: string, before: string): DiffRefusal {
  return {
    code: "changed-alias",
    symbol,
    message: `${symbol} stands where ${before} stood, and both change: if the name has gone to another function, objects that are alive and hold a pointer to ${symbol} would come to what is not meant for them`,
  };
}

export function initReference(owner: string, target: string): DiffRefusal {
  return {
    code: "init-reference",
    symbol: owner,
    message: `${owner} refers to ${target}, which is initialization code or data: it is gone from memory`,
  };
}

export function filledByInit(symbol: string, owner: string): DiffRefusal {
  return {
    code: "filled-by-init",
    symbol,
    message: `${symbol} is new, and ${owner}, which has run already, would have filled it: a pre_apply or apply hook of the patch has to`,
  };
}

export function hookOfOldCode(symbol: string, kind: string): DiffRefusal {
  return { code: "hook-of-old-code", symbol, message: `the ${kind} hook ${symbol} is no function that this patch adds or changes` };
}

export const INIT_ONLY = "init-only";
export const READ_AT_START = "read-at-start";

/** Refused where nothing else of the patch has an effect; else a note says that it comes too late. */
export const TOO_LATE: ReadonlySet<string> = new Set([INIT_ONLY, READ_AT_START]);

export function initOnly(symbol: string): DiffRefusal {
  return { code: INIT_ONLY, symbol, message: `only initialization code changes (${symbol}): it has run and is gone from memory` };
}

export function unknownSection(section: string): DiffRefusal {
  return {
    code: "unknown-section",
    symbol: section,
    message: `nothing is known about section ${section}, so whether it may change cannot be told`,
  };
}

export function unreadableTable(section: string): DiffRefusal {
  return { code: "unknown-table-layout", symbol: section, message: `the entries of table ${section} have no layout that is known` };
}

/** @param what the entries of that kind, in the plural */
export function changedRegistration(code: string, what: string, symbol: string, how: "changes" | "appears" | "is removed"): DiffRefusal {
  return { code, symbol, message: `${symbol} ${how} among the ${what}, which are read once, when the kernel or the module starts` };
}

/** @param what the list that the kernel made of such entries */
export function changedMark(symbol: string, what: string): DiffRefusal {
  return {
    code: READ_AT_START,
    symbol,
    message: `all that changes of ${symbol} is whether it is on ${what}, which is read once, when the kernel or the module starts`,
  };
}

export function namelessCode(section: string): DiffRefusal {
  return {
    code: "nameless-code",
    symbol: section,
    message: `code without a name changes in section ${section}: there is nothing to redirect`,
  };
}

/** @param had the distance, in bytes, in the running kernel, and `has` in the patched source */
export function movedApart(symbol: string, next: string, had: number, has: number): DiffRefusal {
  const message = `${next} begins ${String(has)} bytes behind ${symbol} with the patch, and ${String(had)} in the running kernel, where both stay: hand-written code may be reached by its distance`;
  return { code: "moved-apart", symbol, message };
}

export function commonSymbol(symbol: string): DiffRefusal {
  return {
    code: "common-symbol",
    symbol,
    message: `${symbol} is a common symbol, which kernel modules cannot have: compile with -fno-common`,
  };
}

/** @param section the section that both functions lie in */
export function shortBranch(symbol: string, target: string, section: string): DiffRefusal {
  const hint = section === ".text" ? ": compile with -ffunction-sections" : "";
  return {
    code: "short-branch",
    symbol,
    message: `${symbol} changes and reaches ${target} by a branch of one byte, too short to reach it from an update${hint}`,
  };
}

/** For a command that is given object files: one cannot be read, or is not an object. @param reason in words */
export function unreadableObject(file: string, reason: string): Refusal {
  return new Refusal({ code: "unreadable-object", message: `${file}: ${reason}`, location: file });
}
