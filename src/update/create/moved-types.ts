import { topLevelItems, splitHead, type TopLevelItem } from "../../source/top-level-items.js";
import type { TouchedText } from "../units/touched-texts.js";
import { definedTypes } from "./renamed-types.js";

/** A type that a file defines before the patch and not after it. Its objects are alive, and code of another file may be given them. */
export interface MovedType {
  /** Path of the file. */
  readonly from: string;
  /** As the file calls it: `struct foo`, or `foo_t` for a typedef of a nameless one. */
  readonly former: string;
  /** What others may call it with the patch: the same, or types that come with the patch and that a function uses which used the former one. */
  readonly labels: readonly string[];
}

/** The types that leave a file that the patch touches: to another file, or under another name. One that nobody can have taken over is none. */
export function findMovedTypes(texts: readonly TouchedText[]): MovedType[] {
  const files = texts.map(({ path, pre, post }) => {
    const [before, after] = [topLevelItems(pre), topLevelItems(post)];
    return { path, before, after, defines: definedTypes(before), defined: definedTypes(after) };
  });
  return files.flatMap(({ path, before, defines, defined }) =>
    [...defines]
      .filter((label) => !defined.has(label))
      .flatMap((former): MovedType[] => {
        const users = usersOf(before, former);
        const labels = files
          .filter((other) => other.path !== path)
          .flatMap((other) => {
            const come = [...other.defined].filter((label) => !other.defines.has(label));
            // What was used by way of another type (`x->state->count`) is not named where it is used: a definition that comes elsewhere is enough.
            if (come.includes(former)) return [former];
            return [former, ...come].filter((label) => [...usersOf(other.after, label)].some((user) => users.has(user)));
          });
        return labels.length === 0 ? [] : [{ from: path, former, labels: [...new Set(labels)] }];
      }),
  );
}

/** Names of the functions and types of a file that mention a type, but for itself. */
function usersOf(items: readonly TopLevelItem[], label: string): ReadonlySet<string> {
  return new Set(
    items.flatMap(({ kind, head, body }) => {
      const type = /^(?:struct|union) \w+(?= \{)/.exec(head)?.[0];
      const name = kind === "function" ? splitHead(head)?.name : type;
      return name !== undefined && name !== label && ` ${head} ${body} `.includes(` ${label} `) ? [name] : [];
    }),
  );
}
