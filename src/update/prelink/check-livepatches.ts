import type { LiveKernel } from "../../kernel/live/live-kernel.js";
import { readLivepatchedFunctions, type LivepatchedFunction } from "../../kernel/live/livepatches.js";
import { unitKey } from "../../kbuild/types.js";
import type { MatchedUpdate } from "../match/match-update.js";
import { heldByLivepatch } from "./refusals.js";

/**
 * A livepatch takes over at a function's first bytes, before our trampoline: its code would go on running, and the update would seem to be applied.
 * Goes by name, so that another function of that name is refused too.
 * @throws Refusal `livepatched`
 */
export function checkLivepatches(
  { targets, matches }: Pick<MatchedUpdate, "targets" | "matches">,
  kernel: Pick<LiveKernel, "symbolAt">,
  livepatched: readonly LivepatchedFunction[] = readLivepatchedFunctions(),
): void {
  if (livepatched.length === 0) return;
  for (const target of targets)
    for (const unit of target.units) {
      const match = matches.get(unitKey({ path: unit.path, target: target.name }));
      for (const { preSymbol } of [...unit.functions, ...unit.left]) {
        const addr = match?.functions.get(preSymbol)?.addr;
        const name = addr === undefined ? preSymbol : (kernel.symbolAt(addr)?.name ?? preSymbol);
        const held = livepatched.find((entry) => entry.target === target.name && entry.name === name);
        if (held !== undefined) throw heldByLivepatch(name, unit.path, held.patch);
      }
    }
}
