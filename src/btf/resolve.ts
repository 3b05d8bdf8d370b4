import type { Btf } from "./btf.js";
import { BtfFormatError } from "./btf-format-error.js";
import * as kinds from "./constants.js";

/** References that are followed one after another. The kernel's own limit is MAX_RESOLVE_DEPTH, 32 (kernel/bpf/btf.c, Linux 6.1). */
const MOST_STEPS = 64;

const QUALIFIERS: ReadonlySet<number> = new Set([
  kinds.BTF_KIND_CONST,
  kinds.BTF_KIND_VOLATILE,
  kinds.BTF_KIND_RESTRICT,
  kinds.BTF_KIND_TYPE_TAG,
]);

/** True for const, volatile, restrict and their like. @param kind BTF_KIND_… */
export function isQualifier(kind: number): boolean {
  return QUALIFIERS.has(kind);
}

/** True for a struct or union. @param kind BTF_KIND_… */
export function isRecord(kind: number): boolean {
  return kind === kinds.BTF_KIND_STRUCT || kind === kinds.BTF_KIND_UNION;
}

/** True for an enum of either width. @param kind BTF_KIND_… */
export function isEnum(kind: number): boolean {
  return kind === kinds.BTF_KIND_ENUM || kind === kinds.BTF_KIND_ENUM64;
}

/** The type behind qualifiers, and the name of the last typedef on the way to it. @throws BtfFormatError for a chain without end */
export function resolve(btf: Btf, id: number): { readonly id: number; readonly typedefName: string | undefined } {
  let typedefName: string | undefined;
  for (let step = 0; step < MOST_STEPS; step++) {
    const kind = btf.kind(id);
    if (kind === kinds.BTF_KIND_TYPEDEF) typedefName = btf.name(id);
    else if (!isQualifier(kind)) return { id, typedefName };
    id = btf.target(id);
  }
  throw endless(btf, id);
}

/** Bytes of a type; 0 for void and functions. @throws BtfFormatError */
export function sizeOf(btf: Btf, id: number, depth = 0): number {
  if (depth > MOST_STEPS) throw endless(btf, id);
  const resolved = resolve(btf, id).id;
  switch (btf.kind(resolved)) {
    case kinds.BTF_KIND_PTR:
      return 8;
    case kinds.BTF_KIND_ARRAY: {
      const { element, count } = btf.array(resolved);
      const size = count * sizeOf(btf, element, depth + 1);
      // In bits, it is still to be an exact number.
      if (size * 8 > Number.MAX_SAFE_INTEGER) throw new BtfFormatError(btf.fileName, `type ${String(id)} is implausibly large`);
      return size;
    }
    case kinds.BTF_KIND_INT:
    case kinds.BTF_KIND_FLOAT:
    case kinds.BTF_KIND_STRUCT:
    case kinds.BTF_KIND_UNION:
    case kinds.BTF_KIND_ENUM:
    case kinds.BTF_KIND_ENUM64:
      return btf.size(resolved);
    default:
      return 0;
  }
}

function endless(btf: Btf, id: number): BtfFormatError {
  return new BtfFormatError(btf.fileName, `type ${String(id)} is made of too many others, or of itself`);
}

/** Guards a recursion over types. @throws BtfFormatError */
export function checkDepth(btf: Btf, id: number, depth: number): void {
  if (depth > MOST_STEPS) throw endless(btf, id);
}
