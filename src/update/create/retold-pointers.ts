import { callsIn, functionsOf, splitList } from "../../source/functions.js";
import { splitHead, type TopLevelItem } from "../../source/top-level-items.js";
import type { TouchedText } from "../units/touched-texts.js";

/** A pointer without a type that a function takes for one to something else than before the patch: what it leads to was made as the former. */
export interface RetoldPointer {
  /** The file, and the function in it. */
  readonly path: string;
  readonly user: string;
  /** `dev_get_drvdata ( dev )` */
  readonly pointer: string;
  /** As the source says them: `struct foo`, `struct { int n ; }`, `foo_t`, `unsigned long`. */
  readonly former: string;
  readonly label: string;
}

/** What is made anew at each call, and what a message on its way holds: no object that was there before. */
const FRESH = /(?:alloc|memdup)\w* \(|^(?:nla|nlmsg|genlmsg|skb)_\w+ \(/;

/** What a pointer leads to; single bytes are what anything is made of, and no type. */
const TYPE =
  /(?:struct|union) (?:\w+|\{(?:[^{}]|\{[^{}]*\})*\})|(?:unsigned |signed )?(?:short|long long|long|int)(?: int)?|unsigned|(?!(?:void|char|bool|[us]8|__[us]8|u?int8_t|return|else|do|case|goto|static|const|volatile|enum|sizeof|typeof)\b)[A-Za-z_]\w*/
    .source;
/** `struct foo * a = x , * b ;`, `const struct foo * a ;`, `struct { int n ; } * a = x ;`, `u64 * a = x ;` */
const DECLARATION = new RegExp(
  String.raw`(?<=^|[;{}(] )(?:static )?(?:const |volatile )*(${TYPE})(?: __\w+)* (?:const )?\* (?!\* )([^;]*) ;`,
  "g",
);
const ASSIGNMENT = /(?<=[;{}(] )(\w+) = (?!= )([^;]*) ;/g;
const RETURNED = new RegExp(String.raw`(${TYPE}) (?:const )?\*(?: __\w+)*$`);
const PARAMETER = new RegExp(String.raw`^(?:const )?(${TYPE}) (?:const )?\* (?:const )?\w+$`);
const CAST = new RegExp(String.raw`^\( (?:const )?(?:${TYPE}) \* \) `);
const CONTAINER = /^(container_of|list_entry|list_first_entry|hlist_entry|rb_entry)(?:_const)? \( (.*) , (struct \w+) , [\w .]+ \)$/;
/** What holds the member is of the variable's type. */
const CONTAINER_OF_VARIABLE = /^(?:timer_container_of|from_(?:timer|tasklet|work)) \( \w+ , (.*) , [\w .]+ \)$/;

/**
 * Pointers that a function gets in the same words before and after the patch, and puts into a pointer to another struct. Without a cast C lets that through only where they have no
 * type: private data of a device, a file or a timer, or a callback's argument. Who put them there may have done so long ago. A function that the patch gives another head may return what it now says.
 */
export function findRetoldPointers(texts: readonly TouchedText[]): RetoldPointer[] {
  const read = texts.map(({ path, pre, post }) => ({ path, before: functionsOf(pre), after: functionsOf(post) }));
  const changed = new ChangedHeads(read);
  return read.flatMap(({ path, before, after }) =>
    [...after].flatMap(([user, now]): RetoldPointer[] => {
      const old = before.get(user);
      if (old === undefined || (old.body === now.body && old.head === now.head && !changed.hasCalleeOf(now))) return [];
      const [told, tells] = [pointersIn(old, changed.took), pointersIn(now, changed.take)];
      return [...tells].flatMap(([pointer, labels]) => {
        // An argument has the type that the head says.
        const formers = /^\w+$/.test(pointer) && old.head !== now.head ? undefined : told.get(pointer);
        const callee = /^(\w+) \(/.exec(pointer)?.[1] ?? "";
        if (formers === undefined || changed.has(callee) || [...labels].some((label) => formers.has(label))) return [];
        return [...formers].flatMap((former) => [...labels].map((label) => ({ path, user, pointer, former, label })));
      });
    }),
  );
}

interface ReadText {
  readonly before: ReadonlyMap<string, TopLevelItem>;
  readonly after: ReadonlyMap<string, TopLevelItem>;
}

/** By the name of a function which types its parameters lead to, in their order; undefined for anything else. */
type Takers = ReadonlyMap<string, readonly (string | undefined)[]>;

/** Functions of the touched files that have another head with the patch. */
class ChangedHeads {
  readonly #names: ReadonlySet<string>;
  readonly took: Takers;
  readonly take: Takers;

  constructor(read: readonly ReadText[]) {
    const isChanged = ({ before, after }: ReadText, name: string): boolean => before.get(name)?.head !== after.get(name)?.head;
    this.#names = new Set(read.flatMap((text) => [...text.before.keys(), ...text.after.keys()].filter((name) => isChanged(text, name))));
    const takers = (functions: readonly ReadonlyMap<string, TopLevelItem>[]): Takers =>
      new Map(
        functions.flatMap((map) => [...map].filter(([name]) => this.has(name)).map(([name, { head }]) => [name, parametersOf(head)])),
      );
    this.took = takers(read.map(({ before }) => before));
    this.take = takers(read.map(({ after }) => after));
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  hasCalleeOf({ body }: TopLevelItem): boolean {
    return callsIn(body).some(({ callee }) => this.has(callee));
  }
}

function parametersOf(head: string): (string | undefined)[] {
  const list = head.slice(head.indexOf("(") + 1, head.lastIndexOf(")")).trim();
  return splitList(list.split(" ")).map((parameter) => PARAMETER.exec(parameter)?.[1]);
}

/** Which structs a function takes the values of expressions for, those included that it returns, or gives to `takers`. */
function pointersIn({ head, body }: TopLevelItem, takers: Takers): ReadonlyMap<string, ReadonlySet<string>> {
  const variables = new Map<string, string>();
  const found = new Map<string, Set<string>>();
  // What is a number's pointer may be cast to a struct's.
  const isTyped = (plain: string, value: string): boolean =>
    plain === value ? variables.has(plain) : /^(?:struct|union) /.test(variables.get(plain) ?? "");
  const put = (value: string, type: string): void => {
    const plain = value.replace(CAST, "").trim();
    const [, timer] = CONTAINER_OF_VARIABLE.exec(plain) ?? [];
    const [, macro, inner, holder] = timer === undefined ? (CONTAINER.exec(plain) ?? []) : ["", "container_of", timer];
    const pointer = macro === undefined ? plain : `${macro} ( ${inner ?? ""} )`;
    // An address has the type of what lies there.
    if (/^(?:NULL|0)$|^& /.test(value) || FRESH.test(plain) || isTyped(plain, value)) return;
    found.set(pointer, (found.get(pointer) ?? new Set()).add(holder ?? type));
  };
  for (const [, type = "", list = ""] of body.matchAll(DECLARATION))
    for (const part of splitList(list.split(" "))) {
      const [, name = "", value] = /^(?:\* )?(?:const )?(\w+)(?: = (.*))?$/.exec(part) ?? [];
      if (name !== "") variables.set(name, type);
      if (name !== "" && value !== undefined) put(value, type);
    }
  for (const [, name = "", value = ""] of body.matchAll(ASSIGNMENT)) {
    const type = variables.get(name);
    if (type !== undefined) put(value, type);
  }
  for (const { callee, args } of callsIn(body)) {
    const types = takers.get(callee);
    if (types === undefined) continue;
    for (const [place, value] of args.entries()) {
      const type = types[place];
      // A variable has a type of its own, unless it is one of the function's own arguments without.
      if (type !== undefined && (!/^\w+$/.test(value) || head.includes(`void * ${value} `))) put(value, type);
    }
  }
  const returned = RETURNED.exec(splitHead(head)?.before ?? "")?.[1];
  if (returned !== undefined) for (const [, value = ""] of body.matchAll(/(?<= )return ([^;]*) ;/g)) put(value, returned);
  return found;
}
