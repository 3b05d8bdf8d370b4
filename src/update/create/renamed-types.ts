import { topLevelItems, splitHead, type TopLevelItem } from "../../source/top-level-items.js";
import type { TouchedText } from "../units/touched-texts.js";

/**
 * Types that a patch may only rename: for each that is defined after it and not before, those that are defined before it and not after, and that a
 * function used where it uses the new one. Objects of the running kernel are of the old type, whatever it is called.
 * @returns labels as `struct foo`, or `foo_t` for a typedef of a nameless one
 */
export function findRenamedTypes(texts: readonly TouchedText[]): ReadonlyMap<string, readonly string[]> {
  const [pre, post] = [texts.map(({ pre: text }) => topLevelItems(text)), texts.map(({ post: text }) => topLevelItems(text))];
  const [before, after] = [definedTypes(pre.flat()), definedTypes(post.flat())];
  const gone = [...before].filter((label) => !after.has(label));
  const come = [...after].filter((label) => !before.has(label));
  if (gone.length === 0 || come.length === 0) return new Map();
  const [users, newUsers] = [usersOf(pre, gone), usersOf(post, come)];
  const renamed = come.map((label): [string, string[]] => {
    const now = newUsers.get(label) ?? new Set();
    return [label, gone.filter((old) => [...(users.get(old) ?? [])].some((user) => now.has(user)))];
  });
  return new Map(renamed.filter(([, old]) => old.length > 0));
}

/** Labels of the structs, unions and enums that a file defines. */
export function definedTypes(items: readonly TopLevelItem[]): ReadonlySet<string> {
  const labels = items.flatMap(({ head, body }) => {
    const text = `${head} ${body}`;
    const tags = Array.from(
      text.matchAll(/\b(struct|union|enum) (?:__\w+ )*(\w+) \{/g),
      ([, keyword = "", tag = ""]) => `${keyword} ${tag}`,
    );
    const name = /^typedef (?:struct|union|enum) \{.*\} (?:__\w+ )*(\w+) ;$/.exec(head)?.[1];
    return name === undefined ? tags : [...tags, name];
  });
  return new Set(labels);
}

/** Who uses each of some types: functions and types, each by its file and name. */
function usersOf(files: readonly (readonly TopLevelItem[])[], labels: readonly string[]): Map<string, Set<string>> {
  const users = new Map<string, Set<string>>();
  files.forEach((items, file) => {
    for (const { kind, head, body } of items) {
      const name = kind === "function" ? splitHead(head)?.name : /^(?:struct|union) (\w+) \{/.exec(head)?.[1];
      if (name === undefined) continue;
      const text = ` ${head} ${body} `;
      for (const label of labels)
        if (text.includes(` ${label} `)) users.set(label, (users.get(label) ?? new Set()).add(`${String(file)} ${name}`));
    }
  });
  return users;
}
