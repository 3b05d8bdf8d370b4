import type { ChangeKind, Layout, TypeFinding } from "../../btf/compare-types.js";
import { drawLayouts } from "../../btf/draw-layout.js";
import type { Unit } from "../../kbuild/types.js";
import type { AllowedLayout } from "../file/manifest.js";
import { changedCallbacks, type ChangedCallback } from "../../btf/changed-callbacks.js";
import type { CallbackVerdict } from "./callbacks/verdict.js";
import { changedLayout, unknownLayout } from "./refusals.js";
import { shadowFields } from "./shadow-fields.js";

/** A type whose layout differs, with all units whose code sees it so. */
export interface UpdateFinding extends TypeFinding {
  readonly units: readonly string[];
}

export interface LocatedFinding extends UpdateFinding {
  /** `FILE:LINE` of its definition in the unpatched source; undefined where no touched file defines it. */
  readonly place: string | undefined;
}

/** What a header defines many units see: one finding for each type and each pair of layouts. */
export function mergeFindings(perUnit: readonly { readonly unit: Unit; readonly findings: readonly TypeFinding[] }[]): UpdateFinding[] {
  const merged = new Map<string, UpdateFinding>();
  for (const { unit, findings } of perUnit) {
    for (const finding of findings) {
      const key = [finding.label, finding.kind, ...drawLayouts(finding.before, finding.after)].join("\n");
      const known = merged.get(key);
      const units = [...new Set([...(known?.units ?? []), unit.path])];
      const holders = [...new Set([...(known?.holders ?? []), ...finding.holders])].sort();
      const hasMoved = finding.hasMoved === true || known?.hasMoved === true;
      merged.set(key, { ...finding, units, holders, hasMoved });
    }
  }
  return [...merged.values()];
}

/** Callbacks that change, of types of which nothing else does and that the user does not vouch for. */
export function findChangedCallbacks(findings: readonly LocatedFinding[], allowed: readonly string[]): ChangedCallback[] {
  return findings
    .filter(({ label }) => !allowed.some((type) => isCalled(label, type)))
    .flatMap((finding) => changedCallbacks(finding) ?? []);
}

/**
 * Lets through what the user vouches for, and callbacks that change together with all who call or provide them.
 * @returns the types that the user lets through
 * @throws Refusal `changed-layout`, `unknown-layout`
 */
export function judgeLayouts(
  findings: readonly LocatedFinding[],
  allowed: readonly string[],
  callbacks?: CallbackVerdict,
): AllowedLayout[] {
  const labels = findings.map(({ label }) => label);
  for (const type of allowed) {
    const isKnown = findings.some(({ label, holders }) => [label, ...holders].some((name) => isCalled(name, type)));
    if (!isKnown) throw unknownLayout(type, labels);
  }
  const isAllowed = ({ label }: LocatedFinding): boolean => allowed.some((type) => isCalled(label, type));
  const refused = findings.filter((finding) => !isAllowed(finding) && callbacks?.covers(finding) !== true);
  if (refused.length > 0)
    throw changedLayout(
      refused.map(({ label, place }) => ({ label, place })),
      refused.flatMap((finding) => [...describe(finding), ...(callbacks?.explain(finding) ?? []).map((line) => `    ${line}`)]),
    );
  return findings.filter(isAllowed).map(allow);
}

/** True where `foo`, `struct foo`, or a constant of a nameless enum means the type of this label. */
function isCalled(label: string, type: string): boolean {
  const wanted = type.trim().replaceAll(/\s+/g, " ");
  const constant = /^enum \{(\w+), …\}$/.exec(label)?.[1];
  const names = constant === undefined ? [label, label.replace(/^(?:struct|union|enum) /, "")] : [label, constant, `enum ${constant}`];
  return names.includes(wanted);
}

/** What would become of objects that exist. */
const HARM: Readonly<Record<ChangeKind, string>> = {
  size: "objects that exist have the old size and spacing: new code would read and write what lies behind them",
  members: "new code would look in objects that exist for members where others lie",
  padding: "in objects that exist these bytes hold what was left in them: zero only if they were allocated zeroed",
  renamed: "if they are not the same under other names, objects that exist hold the old ones, and new code would take them for the new",
  values: "objects that exist hold the old numbers, and new code would take them for others",
};

const VOUCHED: Readonly<Record<ChangeKind, string>> = {
  size: "no object of this type may be alive when the update is applied, or undone",
  members: "no object of this type may be alive when the update is applied, or undone",
  padding: "the objects that exist hold whatever was in the padding: zero if they were allocated zeroed; new code must cope with it",
  renamed: "what goes by another name must hold the same as before",
  values: "no object may hold one of these numbers when the update is applied, or undone",
};

const UNITS_SHOWN = 3;
const HOLDERS_SHOWN = 8;
const REASONS_SHOWN = 6;
const FIELDS_SHOWN = 4;

/** Sentences and picture, a line each. */
function describe({ label, place, units, kind, reasons, holders, before, after, former }: LocatedFinding): string[] {
  const seenBy = listed(units, UNITS_SHOWN, "units");
  const shown = reasons.slice(0, REASONS_SHOWN);
  return [
    `  ${place === undefined ? "" : `${place}: `}${label}, seen by ${seenBy}:`,
    ...shown.map((reason) => `    ${reason}`),
    ...(reasons.length > shown.length ? [`    and ${String(reasons.length - shown.length)} more differences`] : []),
    `    ${HARM[kind]}`,
    ...drawLayouts(before, after).map((line) => `    ${line}`),
    ...(holders.length === 0 ? [] : [`    and ${holdersText(holders)}: ${listed(holders, HOLDERS_SHOWN, "types")}`]),
    ...(former === undefined ? shadowLines(label, before, after) : []).map((line) => `    ${line}`),
  ];
}

function shadowLines(label: string, before: Layout, after: Layout): string[] {
  const fields = shadowFields(label, before, after);
  if (fields.length === 0) return [];
  return [
    "or leave the type as it is, and put what is new beside its objects (docs/shadow-data.md):",
    ...["#include <ksplice-patch.h>", ...fields.slice(0, FIELDS_SHOWN)].map((line) => `  ${line}`),
    ...(fields.length > FIELDS_SHOWN ? [`  and ${String(fields.length - FIELDS_SHOWN)} more`] : []),
  ];
}

function holdersText(holders: readonly string[]): string {
  return holders.length === 1 ? "one type that holds it" : `${String(holders.length)} types that hold it`;
}

function listed(names: readonly string[], most: number, what: string): string {
  const more = names.length - most;
  return more <= 0 ? names.join(", ") : `${names.slice(0, most).join(", ")} and ${String(more)} more ${what}`;
}

function allow({ label, place, units, kind, reasons, holders, before, after }: LocatedFinding): AllowedLayout {
  return {
    ...{ label, units: [...units], reasons: [...reasons], holders: [...holders], vouched: VOUCHED[kind] },
    ...(place === undefined ? {} : { place }),
    picture: drawLayouts(before, after),
  };
}

/** What the user is told of a type that he has let through. */
export function warningOf({ label, reasons, holders, vouched }: AllowedLayout): string {
  const also = holders.length === 0 ? "" : `, and ${holdersText(holders)}`;
  return `${label}${also} is allowed: ${reasons[0] ?? ""}; ${vouched}`;
}
