/** Constants of the BPF Type Format, by the kernel's names. Source: Documentation/bpf/btf.rst and include/uapi/linux/btf.h, Linux 6.1. */

export const BTF_MAGIC = 0xeb9f;
export const BTF_VERSION = 1;
/** `sizeof(struct btf_header)`; a longer header is allowed. */
export const BTF_HEADER_SIZE = 24;
/** `sizeof(struct btf_type)`, what every type begins with. */
export const BTF_TYPE_SIZE = 12;

export const BTF_KIND_INT = 1;
export const BTF_KIND_PTR = 2;
export const BTF_KIND_ARRAY = 3;
export const BTF_KIND_STRUCT = 4;
export const BTF_KIND_UNION = 5;
export const BTF_KIND_ENUM = 6;
export const BTF_KIND_FWD = 7;
export const BTF_KIND_TYPEDEF = 8;
export const BTF_KIND_VOLATILE = 9;
export const BTF_KIND_CONST = 10;
export const BTF_KIND_RESTRICT = 11;
export const BTF_KIND_FUNC = 12;
export const BTF_KIND_FUNC_PROTO = 13;
export const BTF_KIND_VAR = 14;
export const BTF_KIND_DATASEC = 15;
export const BTF_KIND_FLOAT = 16;
export const BTF_KIND_DECL_TAG = 17;
export const BTF_KIND_TYPE_TAG = 18;
export const BTF_KIND_ENUM64 = 19;

/** What follows the common part of a type: so many bytes once, so many for each of its `vlen` entries, and where type ids stand in them. */
export interface KindShape {
  readonly once: number;
  readonly entry: number;
  /** The common part's last word is a type id, not a size. */
  readonly refers: boolean;
  /** Byte offsets in the part that is there once, or in each entry. */
  readonly typeIdsAt: readonly number[];
  /** Each entry begins with the offset of a name. */
  readonly namedEntries: boolean;
}

const plain: KindShape = { once: 0, entry: 0, refers: false, typeIdsAt: [], namedEntries: false };
const reference: KindShape = { ...plain, refers: true };
const record: KindShape = { ...plain, entry: 12, typeIdsAt: [4], namedEntries: true };

/** By BTF_KIND_*; 0 is void, which has no entry in the type section. */
export const KIND_SHAPES: readonly (KindShape | undefined)[] = [
  undefined,
  { ...plain, once: 4 },
  reference,
  { ...plain, once: 12, typeIdsAt: [0, 4] },
  record,
  record,
  { ...plain, entry: 8, namedEntries: true },
  plain,
  reference,
  reference,
  reference,
  reference,
  reference,
  { ...reference, entry: 8, typeIdsAt: [4], namedEntries: true },
  { ...reference, once: 4 },
  { ...plain, entry: 12, typeIdsAt: [0] },
  plain,
  { ...reference, once: 4 },
  reference,
  { ...plain, entry: 12, namedEntries: true },
];
