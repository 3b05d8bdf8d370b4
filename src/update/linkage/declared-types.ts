import { topLevelItems, type TopLevelItem } from "../../source/top-level-items.js";

/**
 * The type of a variable as a C source spells it, at file level and as a static local: the words before and behind its name, without storage words and
 * attributes; of a struct without a name, what it holds; of one that a macro defines, what that stands for, or the macro. Several where several places declare
 * one of that name; none where nothing is recognized.
 */
export function declaredTypes(source: string, name: string): ReadonlySet<string> {
  return new Declarations([source]).typesOf(name);
}

/** The declarations of some sources, which are read once for all names that are asked for. */
export class Declarations {
  readonly #known = new Map<string, ReadonlySet<string>>();
  readonly #sources: readonly string[];
  #items: readonly Item[] | undefined;

  constructor(sources: readonly string[]) {
    this.#sources = sources;
  }

  /** As {@link declaredTypes}, in all of the sources. */
  typesOf(name: string): ReadonlySet<string> {
    let types = this.#known.get(name);
    // Most variables of a unit are declared in files that the patch does not touch.
    const isNamed = this.#sources.some((source) => source.includes(name));
    types ??= isNamed ? typesIn((this.#items ??= this.#sources.flatMap(topLevelItems)), name) : new Set();
    this.#known.set(name, types);
    return types;
  }
}

type Item = Pick<TopLevelItem, "kind" | "head" | "body">;

function typesIn(items: readonly Item[], name: string): ReadonlySet<string> {
  const types = new Set<string>();
  for (const { kind, head, body } of items) {
    if (!head.includes(name) && !body.includes(name)) continue;
    if (kind === "declaration") collect(head, withoutBraces(head), (words) => !words.includes("typedef") && !words.includes("extern"));
    else if (kind === "function") collect(body, body, (words) => words.includes("static"));
  }
  return types;

  /** @param text the same without members of structs, which share names with variables, and without initial values */
  function collect(whole: string, text: string, isWanted: (words: readonly string[]) => boolean): void {
    for (const { words, type } of [...plain(text, name), ...pointersToFunctions(text, name), ...namelessStructs(whole, name)])
      if (isWanted(words)) types.add(type);
    for (const type of perCpu(text, name)) types.add(type);
    for (const { words, type } of byMacro(text, name)) if (isWanted(words)) types.add(type);
  }
}

/** A declaration with nothing between its outermost braces. */
function withoutBraces(text: string): string {
  let kept = "";
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== "{") {
      kept += text[at] ?? "";
      continue;
    }
    kept += "{ }";
    at = closingBrace(text, at) - 1;
  }
  return kept;
}

/** A declaration of the name that is asked for. */
interface Declared {
  /** What stands in front, storage words included. */
  readonly words: readonly string[];
  readonly type: string;
}

const STORAGE = /^(?:static|extern|const|volatile|register|__\w+)$/;
const KEYWORD = /^(?:return|goto|else|case|break|continue|typedef)$/;

/** What may stand behind the name: how many there are, attributes; and what ends the declarator. */
const BEHIND = String.raw`( \[[^;={}]*?\])?(?: __\w+(?: \([^()]*\))?)* (?:=|,|;)`;

function plain(text: string, name: string): Declared[] {
  const pattern = new RegExp(`(?:^|[;{}] )((?:[A-Za-z_]\\w* )+(?:[*] (?:const )?)*)([^;{}()=]*, )?${escaped(name)}${BEHIND}`, "g");
  return Array.from(text.matchAll(pattern), ([, before = "", others, array]): Declared => {
    const words = before.trim().split(" ");
    // The first name of a list stands with the type.
    if (others !== undefined) words.pop();
    return { words, type: `${withoutStorage(words)}${arrayText(array)}` };
  }).filter(({ words }) => !KEYWORD.test(words[0] ?? ""));
}

/** `static int ( * hook ) ( unsigned long pfn ) ;` */
function pointersToFunctions(text: string, name: string): Declared[] {
  const pattern = new RegExp(
    String.raw`(?:^|[;{}] )((?:[A-Za-z_]\w* )+(?:[*] )*)\( [*] (?:const |__\w+ )*${escaped(name)}( \[[^;={}]*?\])? \) \(([^;{}=]*)\)(?: __\w+)* (?:=|,|;)`,
    "g",
  );
  return Array.from(text.matchAll(pattern), ([, before = "", array, parameters = ""]): Declared => {
    const words = before.trim().split(" ");
    const taken = parameters.split(" , ").map(withoutName).join(" , ");
    return { words, type: `${withoutStorage(words)} ( *${arrayText(array)} ) ( ${taken} )` };
  });
}

const TYPE_WORD = /^(?:void|char|short|int|long|unsigned|signed|bool|const|\*|\.|\]|\))$/;

/** A parameter without what it is called. */
function withoutName(parameter: string): string {
  const words = parameter.trim().split(" ");
  const isNamed = words.length > 1 && !TYPE_WORD.test(words.at(-1) ?? "") && !/^(?:struct|union|enum)$/.test(words.at(-2) ?? "");
  return withoutStorage(isNamed ? words.slice(0, -1) : words);
}

/** `static struct { int a ; } state ;`: what it holds is its type. One with a tag has that, and its layout is compared as that of others. */
function namelessStructs(text: string, name: string): Declared[] {
  const behind = new RegExp(`^ (?:__\\w+ (?:\\([^()]*\\) )?|const )*(?:[^;{}()=]*, )?((?:[*] )*)${escaped(name)}${BEHIND}`);
  return Array.from(text.matchAll(/(?:^|[;{}] )((?:\w+ )*)(struct|union) (?:__\w+ (?:\([^()]*\) )?)*(?=\{)/g)).flatMap(
    (match): Declared[] => {
      const open = match.index + match[0].length;
      const end = closingBrace(text, open);
      const declarator = behind.exec(text.slice(end));
      if (declarator === null) return [];
      const type = `${match[2] ?? ""} ${text.slice(open, end)} ${declarator[1] ?? ""}`.trim();
      return [{ words: (match[1] ?? "").trim().split(" "), type: `${type}${arrayText(declarator[2])}` }];
    },
  );
}

/** One behind the brace that closes the one at `open`. */
function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "{") depth++;
    if (text[at] === "}" && --depth === 0) return at + 1;
  }
  return text.length;
}

/** `DEFINE_PER_CPU_ALIGNED ( struct foo * , name )` (include/linux/percpu-defs.h, Linux 6.1). */
function perCpu(text: string, name: string): string[] {
  const pattern = new RegExp(String.raw`\bDEFINE_PER_CPU\w* \( ([^(){};]*?) , ${escaped(name)} \)`, "g");
  return Array.from(text.matchAll(pattern), ([, type = ""]) => withoutStorage(type.split(" ")));
}

/** Macros that define the variable that is their first argument, and its type (Linux 6.1). */
const MACRO_TYPES: ReadonlyMap<string, string> = new Map([
  ["LIST_HEAD", "struct list_head"],
  ["HLIST_HEAD", "struct hlist_head"],
  ["LLIST_HEAD", "struct llist_head"],
  ["DEFINE_SPINLOCK", "spinlock_t"],
  ["DEFINE_RAW_SPINLOCK", "raw_spinlock_t"],
  ["DEFINE_RWLOCK", "rwlock_t"],
  ["DEFINE_MUTEX", "struct mutex"],
  ["DEFINE_SEMAPHORE", "struct semaphore"],
  ["DECLARE_RWSEM", "struct rw_semaphore"],
  ["DECLARE_WAIT_QUEUE_HEAD", "wait_queue_head_t"],
  ["DECLARE_COMPLETION", "struct completion"],
  ["DECLARE_WORK", "struct work_struct"],
  ["DECLARE_DELAYED_WORK", "struct delayed_work"],
  ["DECLARE_TASKLET", "struct tasklet_struct"],
  ["DEFINE_TIMER", "struct timer_list"],
  ["DEFINE_IDR", "struct idr"],
  ["DEFINE_IDA", "struct ida"],
  ["DEFINE_XARRAY", "struct xarray"],
  ["DEFINE_XARRAY_ALLOC", "struct xarray"],
  ["RADIX_TREE", "struct radix_tree_root"],
  ["DECLARE_BITMAP", "unsigned long []"],
  ["BLOCKING_NOTIFIER_HEAD", "struct blocking_notifier_head"],
  ["ATOMIC_NOTIFIER_HEAD", "struct atomic_notifier_head"],
  ["RAW_NOTIFIER_HEAD", "struct raw_notifier_head"],
  ["DEFINE_STATIC_KEY_FALSE", "struct static_key_false"],
  ["DEFINE_STATIC_KEY_TRUE", "struct static_key_true"],
]);

/** `static DEFINE_MUTEX ( name ) ;`, and others of that kind, which stand for themselves. */
function byMacro(text: string, name: string): Declared[] {
  const pattern = new RegExp(
    String.raw`(?:^|[;{}] )((?:static |__\w+ )*)(\w+) \( ${escaped(name)} (?:, [^;{}]*?)?\)(?: __\w+(?: \([^()]*\))?)* (?:=|;)`,
    "g",
  );
  return Array.from(text.matchAll(pattern)).flatMap(([, before = "", macro = ""]): Declared[] => {
    const known = MACRO_TYPES.get(macro);
    if (known === undefined && !/^(?:DEFINE|DECLARE)_(?!PER_CPU|SHOW_|SEQ_|SIMPLE_|DEBUGFS_)[A-Z\d_]+$/.test(macro)) return [];
    return [{ words: before.trim().split(" "), type: known ?? `${macro} ( )` }];
  });
}

function withoutStorage(words: readonly string[]): string {
  return words.filter((word) => word !== "" && !STORAGE.test(word)).join(" ");
}

/** The outermost number of elements is a matter of size; how many each of them holds says where they lie. */
function arrayText(array = ""): string {
  const [, inner = ""] = /^ \[[^\]]*\](.*)$/.exec(array) ?? [];
  return array.trim() === "" ? "" : ` []${inner}`;
}

function escaped(name: string): string {
  return name.replace(/\W/g, "\\$&");
}

/** Numbers that hold the same where they have one size; that size is the objects', which the differ compares. */
const NUMBER =
  /^(?:(?:unsigned|signed|int|long|short|char|bool|_Bool|size_t|ssize_t|loff_t|[us](?:8|16|32|64)|__[usbl]e?(?:8|16|32|64)|u?int(?:8|16|32|64)_t|ktime_t|atomic_t|atomic_long_t|refcount_t)(?: |$))+(?:\[\])?$/;
const ENUMERATION = /^enum \w+/;
const BOOL = /^(?:bool|_Bool)\b/;
const BIG_ENDIAN = /^__be\d+/;

/** True if objects of one type can be used as the other: the same words, or numbers in one order of bytes; of arrays, with elements of one size. */
export function isSameKindOfType(before: string, after: string): boolean {
  if (before === after) return true;
  // It may hold more than 0 and 1.
  if (BOOL.test(after) && !BOOL.test(before)) return false;
  // A number that gets the names of an enumeration, or loses them.
  if (ENUMERATION.test(before) !== ENUMERATION.test(after))
    return isSameKindOfType(before.replace(ENUMERATION, "int"), after.replace(ENUMERATION, "int"));
  if (!NUMBER.test(before) || !NUMBER.test(after) || BIG_ENDIAN.test(before) !== BIG_ENDIAN.test(after)) return false;
  const [isArray, wasArray] = [after.endsWith("[]"), before.endsWith("[]")];
  return isArray === wasArray && (!isArray || bytesOf(before) === bytesOf(after));
}

/** Bytes of a number, where a long has 8. */
function bytesOf(type: string): number {
  const bits = /(?:8|16|32|64)(?=_t\b| |$)/.exec(type)?.[0];
  if (bits !== undefined) return Number(bits) / 8;
  if (/\b(?:char|bool|_Bool)\b/.test(type)) return 1;
  if (/\bshort\b/.test(type)) return 2;
  return /\b(?:long|size_t|ssize_t|loff_t|ktime_t|atomic_long_t)\b/.test(type) ? 8 : 4;
}
