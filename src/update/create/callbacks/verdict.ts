import { changedCallbacks, type ChangedCallback } from "../../../btf/changed-callbacks.js";
import type { TypeFinding } from "../../../btf/compare-types.js";
import { keyOf, type Break } from "./unit-text.js";

/** What is known of callbacks that take or return something else with the patch. */
export interface CallbackVerdict {
  /** True for a type that may change, as all who call or provide what changes in it do so together. */
  covers(finding: TypeFinding): boolean;
  /** Why it may not, a line each; empty for a type that changes in another way. */
  explain(finding: TypeFinding): string[];
}

/** Leaves callbacks to a later look. */
export const LEAVE_CALLBACKS: CallbackVerdict = {
  covers: (finding) => changedCallbacks(finding) !== undefined,
  explain: () => [],
};

const SHOWN = 6;

/** @param asked those of which it is known whether they change together. @param breaks what speaks against it: then none of them does */
export function verdictOf(asked: readonly ChangedCallback[], breaks: readonly Break[]): CallbackVerdict {
  const known = new Set(asked.map(keyOf));
  const isAsked = (finding: TypeFinding): boolean => changedCallbacks(finding)?.every((callback) => known.has(keyOf(callback))) === true;
  return {
    covers: (finding) => breaks.length === 0 && isAsked(finding),
    explain: (finding) => {
      if (breaks.length === 0 || !isAsked(finding)) return [];
      const own = breaks.filter(({ callback }) => callback.label === finding.label);
      const lines = (own.length > 0 ? own : breaks).map(
        ({ callback, place, why }) => `  ${place === "" ? "" : `${place}: `}${keyOf(callback)}: ${why}`,
      );
      return [
        "it is not shown that all who call it and all who provide it change together (docs/types.md):",
        ...lines.slice(0, SHOWN),
        ...(lines.length > SHOWN ? [`  and ${String(lines.length - SHOWN)} more places`] : []),
        "leave the member as it is, and pass what is new by another way: a new function, or shadow data (docs/shadow-data.md)",
      ];
    },
  };
}
