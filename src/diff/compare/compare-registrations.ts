import type { Atom } from "../atoms/atom.js";
import type { Comparer } from "./compare.js";
import { compareModuleCalls } from "./module-calls.js";
import { normalName } from "../atoms/names.js";
import * as refuse from "../refusals.js";
import type { DiffRefusal } from "../types.js";

export interface RegistrationComparison {
  refusals: DiffRefusal[];
  notes: string[];
}

/** Compares what the kernel reads once, when it or a module starts: the entries have to be the same on both sides, whatever their order. */
export function compareRegistrations(comparer: Comparer): RegistrationComparison {
  const { pre, post } = comparer;
  const result: RegistrationComparison = { refusals: compareModuleCalls(pre, post), notes: [] };
  const left = new Map<string, Atom[]>();
  for (const atom of pre.atoms) {
    if (atom.rule.kind !== "registered") continue;
    const key = registrationKey(atom);
    left.set(key, [...(left.get(key) ?? []), atom]);
  }
  const refuseChange = (atom: Atom, how: "changes" | "appears" | "is removed"): void => {
    if (atom.rule.kind !== "registered") return;
    result.refusals.push(refuse.changedRegistration(atom.rule.code, atom.rule.what, registrationName(atom), how));
  };
  for (const atom of post.atoms) {
    if (atom.rule.kind !== "registered") continue;
    const candidates = left.get(registrationKey(atom)) ?? [];
    const index = candidates.findIndex((candidate) => comparer.differences(candidate, atom).length === 0);
    if (index < 0) refuseChange(atom, candidates.length === 0 ? "appears" : "changes");
    candidates.splice(Math.max(index, 0), 1);
  }
  for (const atoms of left.values()) for (const atom of atoms) refuseChange(atom, "is removed");
  return result;
}

function registrationKey(atom: Atom): string {
  return `${normalName(atom.section.name)} ${normalName(atom.symbol?.name ?? "")}`;
}

/** What the macros put in front of the name of the thing that is registered. */
const REGISTRATION_PREFIX =
  /^__(ksymtab|crc|kcrctab|export_symbol|param|tracepoint|setup|(?:p_)?syscall_meta_|event_(?:enter|exit)_|bpf_trace_tp_map|SCT_)_(?=.)/;

function registrationName(atom: Atom): string {
  return atom.symbol === undefined ? `section ${atom.section.name}` : atom.symbol.name.replace(REGISTRATION_PREFIX, "");
}
