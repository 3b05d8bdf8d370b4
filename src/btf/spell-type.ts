import type { Btf } from "./btf.js";
import * as kinds from "./constants.js";
import { checkDepth } from "./resolve.js";

/**
 * A declaration as C spells it: `const char *name`, `struct list_head lru`, `u8 key[16]`, `int (*open)()`. A pointer is spelled by the name of what
 * it points to, and a function without its parameters. @throws BtfFormatError for a type without end
 */
export function declare(btf: Btf, id: number, name: string): string {
  return spell(btf, id, name, "", 0);
}

function spell(btf: Btf, id: number, inner: string, qualifiers: string, depth: number): string {
  checkDepth(btf, id, depth);
  const go = (next: number, text: string, qualified = ""): string => spell(btf, next, text, qualified, depth + 1);
  switch (btf.kind(id)) {
    case kinds.BTF_KIND_CONST:
      return go(btf.target(id), inner, `${qualifiers}const `);
    case kinds.BTF_KIND_VOLATILE:
      return go(btf.target(id), inner, `${qualifiers}volatile `);
    case kinds.BTF_KIND_RESTRICT:
      return go(btf.target(id), inner, `${qualifiers}restrict `);
    case kinds.BTF_KIND_TYPE_TAG:
      return go(btf.target(id), inner, qualifiers);
    case kinds.BTF_KIND_PTR:
      return go(btf.target(id), `*${qualifiers}${inner}`);
    case kinds.BTF_KIND_ARRAY: {
      const { element, count } = btf.array(id);
      return go(element, `${grouped(inner)}[${count === 0 ? "" : String(count)}]`, qualifiers);
    }
    case kinds.BTF_KIND_FUNC_PROTO:
      return go(btf.target(id), `${grouped(inner)}()`);
    default:
      return `${qualifiers}${baseName(btf, id)} ${inner}`.trimEnd();
  }
}

/** In C an array or a function binds tighter than a pointer. */
function grouped(inner: string): string {
  return inner.startsWith("*") ? `(${inner})` : inner;
}

/** `struct foo`, `enum {…}`, `u32`. */
export function baseName(btf: Btf, id: number): string {
  const keyword = keywordOf(btf, id);
  const name = id === 0 || btf.isNamed(id) ? btf.name(id) : "{…}";
  return keyword === undefined ? name : `${keyword} ${name}`;
}

export type Keyword = "struct" | "union" | "enum";

/** What stands before the name of a type; undefined where nothing does. */
export function keywordOf(btf: Btf, id: number): Keyword | undefined {
  switch (btf.kind(id)) {
    case kinds.BTF_KIND_STRUCT:
      return "struct";
    case kinds.BTF_KIND_UNION:
      return "union";
    case kinds.BTF_KIND_ENUM:
    case kinds.BTF_KIND_ENUM64:
      return "enum";
    case kinds.BTF_KIND_FWD:
      return btf.kindFlag(id) ? "union" : "struct";
    default:
      return undefined;
  }
}
