import type { Btf } from "./btf.js";
import * as kinds from "./constants.js";
import type { RecordLayout } from "./layout.js";
import { isEnum, isQualifier, isRecord, resolve, sizeOf } from "./resolve.js";
import { keywordOf } from "./spell-type.js";

/** A struct, union or enum that is defined, by what a programmer calls it. */
export interface NamedType {
  /** `struct foo`, `atomic_t`; `enum {FIRST, …}` for an enum without a name. */
  readonly label: string;
  /** Of the struct, union or enum itself. */
  readonly id: number;
  readonly isEnum: boolean;
  /** The first enumerator of an enum without a name. */
  readonly firstEnumerator?: string;
}

/** The types of one file by their labels; several may bear the same, in different scopes. Forward declarations are none. */
export function namedTypes(btf: Btf): ReadonlyMap<string, readonly NamedType[]> {
  const types = new Map<string, NamedType[]>();
  const add = (type: NamedType): void => {
    const others = types.get(type.label);
    if (others === undefined) types.set(type.label, [type]);
    else others.push(type);
  };
  const nameless = new Set<number>();
  for (let id = btf.firstId; id < btf.endId; id++) {
    const kind = btf.kind(id);
    if (isRecord(kind) || isEnum(kind)) {
      if (btf.isNamed(id)) add({ label: labelOf(btf, id), id, isEnum: isEnum(kind) });
      else if (isEnum(kind)) nameless.add(id);
    } else if (kind === kinds.BTF_KIND_TYPEDEF) {
      const type = namelessTarget(btf, id);
      if (type !== undefined) add({ label: btf.name(id), id: type, isEnum: isEnum(btf.kind(type)) });
    }
  }
  // An enum without a name is known by its constants.
  for (const list of types.values()) for (const { id } of list) nameless.delete(id);
  for (const id of nameless) {
    const [first] = btf.enumerators(id);
    if (first !== undefined) add({ label: `enum {${first.name}, …}`, id, isEnum: true, firstEnumerator: first.name });
  }
  return types;
}

/** Types of a label in a large file, without going through all of it. Of a module's file, its own and the base's. */
export function findNamedTypes(btf: Btf, label: string): NamedType[] {
  const [, keyword, name = ""] = /^(?:(struct|union|enum) )?(.*)$/.exec(label) ?? [];
  return btf.idsNamed(name).flatMap((id): NamedType[] => {
    const kind = btf.kind(id);
    const type = kind === kinds.BTF_KIND_TYPEDEF ? namelessTarget(btf, id) : id;
    if (type === undefined) return [];
    const found = kind === kinds.BTF_KIND_TYPEDEF ? undefined : keywordOf(btf, id);
    return found === keyword ? [{ label, id: type, isEnum: isEnum(btf.kind(type)) }] : [];
  });
}

/** Structs without a name that have all members of such a text, and no others: `struct { int n ; }`. They are labelled as `struct {n, …}`. */
export function namelessStructs(btf: Btf, text: string): NamedType[] {
  const words = new Set(text.split(/\W+/));
  let most = 1;
  let found: NamedType[] = [];
  for (let id = btf.firstId; id < btf.endId; id++) {
    if (btf.kind(id) !== kinds.BTF_KIND_STRUCT || btf.isNamed(id)) continue;
    const names = btf.members(id).map(({ name }) => name);
    // The names of types are words, too, so that a smaller struct may fit by chance.
    if (names.length < most || !names.every((name) => name === "" || words.has(name))) continue;
    if (names.length > most) found = [];
    most = names.length;
    found.push({ label: `struct {${names[0] ?? ""}, …}`, id, isEnum: false });
  }
  return found;
}

/** The structs and unions that a typedef of this name stands for, whatever name they have themselves. */
export function typesBehind(btf: Btf, name: string): NamedType[] {
  const found: NamedType[] = [];
  for (let id = btf.firstId; id < btf.endId; id++) {
    if (btf.kind(id) !== kinds.BTF_KIND_TYPEDEF || btf.name(id) !== name) continue;
    const target = resolve(btf, id).id;
    if (isRecord(btf.kind(target))) found.push({ label: name, id: target, isEnum: false });
  }
  return found;
}

/** A number as the source says it, `u64` or `unsigned long`, with its size, as a record without members; undefined where the types have none of that name. */
export function findNumber(btf: Btf, text: string): RecordLayout | undefined {
  const words = text.split(" ");
  const isSpelled = words.every((word) => /^(?:un)?signed$|^(?:short|int|long)$/.test(word));
  if (!isSpelled && words.length > 1) return undefined;
  // DWARF's order of the words, which BTF has too.
  const lengths = words.filter((word) => word === "short" || word === "long");
  const name = isSpelled ? [...lengths, ...(words.includes("unsigned") ? ["unsigned"] : []), "int"].join(" ") : text;
  for (let id = btf.firstId; id < btf.endId; id++) {
    const kind = btf.kind(id);
    if ((kind !== kinds.BTF_KIND_TYPEDEF && kind !== kinds.BTF_KIND_INT) || btf.name(id) !== name) continue;
    const number = resolve(btf, id).id;
    if (btf.kind(number) === kinds.BTF_KIND_INT) return { btf, id: number, isUnion: false, size: sizeOf(btf, number), members: [] };
  }
  return undefined;
}

/** `struct foo`, as messages call a type. */
export function labelOf(btf: Btf, id: number): string {
  return `${keywordOf(btf, id) ?? ""} ${btf.name(id)}`;
}

/** What a typedef gives a name to that has none of its own. */
function namelessTarget(btf: Btf, typedef: number): number | undefined {
  let id = btf.target(typedef);
  for (let step = 0; step < 8 && isQualifier(btf.kind(id)); step++) id = btf.target(id);
  const kind = btf.kind(id);
  return (isRecord(kind) || isEnum(kind)) && !btf.isNamed(id) ? id : undefined;
}
