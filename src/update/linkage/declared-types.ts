import { readTopLevel } from "../../source/top-level-items.js";

/**
 * The type of a variable as a C source spells it, at file level and as a static local: the words before and behind its name, without storage words and
 * attributes. Several where several places declare one of that name; none where a macro does.
 */
export function declaredTypes(source: string, name: string): ReadonlySet<string> {
  const types = new Set<string>();
  const pattern = new RegExp(
    `(?:^|[;{}] )((?:[A-Za-z_]\\w* )+(?:[*] (?:const )?)*)([^;{}()=]*, )?${name.replace(/\W/g, "\\$&")}( \\[[^;={}]*?\\])?(?: __\\w+(?: \\([^()]*\\))?)* (?:=|,|;)`,
    "g",
  );
  for (const { kind, head, body } of readTopLevel(source) ?? []) {
    if (kind === "declaration") collect(head, (words) => !words.includes("typedef") && !words.includes("extern"));
    else if (kind === "function") collect(body, (words) => words.includes("static"));
  }
  return types;

  function collect(text: string, isWanted: (words: readonly string[]) => boolean): void {
    for (const [, before = "", others, array = ""] of text.matchAll(pattern)) {
      const words = before.trim().split(" ");
      // The first name of a list stands with the type.
      if (others !== undefined) words.pop();
      if (!isWanted(words) || KEYWORD.test(words[0] ?? "")) continue;
      types.add(`${words.filter((word) => !STORAGE.test(word)).join(" ")}${array.trim() === "" ? "" : " []"}`);
    }
  }
}

const STORAGE = /^(?:static|extern|const|volatile|register|__\w+)$/;
const KEYWORD = /^(?:return|goto|else|case|break|continue|typedef)$/;

/** Numbers that hold the same where they have one size; that size is the objects', which the differ compares. */
const NUMBER =
  /^(?:(?:unsigned|signed|int|long|short|char|bool|_Bool|size_t|ssize_t|loff_t|[us](?:8|16|32|64)|__[usbl]e?(?:8|16|32|64)|u?int(?:8|16|32|64)_t|ktime_t|atomic_t|atomic_long_t|refcount_t)(?: |$))+(?:\[\])?$/;

/** True if objects of one type can be used as the other: the same words, or numbers. */
export function isSameKindOfType(before: string, after: string): boolean {
  return before === after || (NUMBER.test(before) && NUMBER.test(after) && before.endsWith("[]") === after.endsWith("[]"));
}
