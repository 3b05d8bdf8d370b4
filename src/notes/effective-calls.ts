import type { FunctionChange } from "./changed-functions.js";
import { findCalls, type Call } from "./find-calls.js";

export type Side = "pre" | "post";

/** A changed function that is there on both sides, or that no other changed function calls; with the calls of the helpers that came or went with it. */
export interface EffectiveFunction {
  readonly change: FunctionChange;
  readonly pre: readonly Call[];
  readonly post: readonly Call[];
}

/**
 * The changed functions with what they call on each side. A function that is there on one side only counts as a part of those that call it: so
 * moving statements into a helper, or out of it, changes nothing.
 */
export function effectiveFunctions(changes: readonly FunctionChange[]): EffectiveFunction[] {
  const helpers: Record<Side, ReadonlyMap<string, FunctionChange>> = { pre: helpersOf(changes, "pre"), post: helpersOf(changes, "post") };
  const expand = (change: FunctionChange, side: Side, seen: ReadonlySet<FunctionChange>): Call[] => {
    const text = change[side];
    if (text === undefined || seen.has(change)) return [];
    return findCalls(text).flatMap((call) => {
      const helper = helpers[side].get(call.callee);
      if (helper === undefined) return [call];
      return [call, ...expand(helper, side, new Set([...seen, change])).map((inner) => ({ ...inner, line: call.line }))];
    });
  };
  const parts = new Set([...helpers.pre.values(), ...helpers.post.values()]);
  return changes
    .filter((change) => !parts.has(change))
    .map((change) => ({ change, pre: expand(change, "pre", new Set()), post: expand(change, "post", new Set()) }));
}

/** Functions of one side only that another changed function calls there. */
function helpersOf(changes: readonly FunctionChange[], side: Side): Map<string, FunctionChange> {
  const called = new Set(changes.flatMap((change) => namesCalled(change, side)));
  const other = side === "pre" ? "post" : "pre";
  return new Map(changes.filter((change) => change[other] === undefined && called.has(change.name)).map((change) => [change.name, change]));
}

function namesCalled(change: FunctionChange, side: Side): string[] {
  const text = change[side];
  return text === undefined
    ? []
    : findCalls(text)
        .map(({ callee }) => callee)
        .filter((name) => name !== change.name);
}
