/** What a text does with a member that points to a function. */
export type MemberUse =
  | { readonly kind: "call" | "test" | "cleared" }
  | { readonly kind: "provided"; readonly name: string }
  /** Anything else: where the pointer goes, or what comes into the member, is not known. */
  | { readonly kind: "other"; readonly text: string };

/**
 * What the expression that ends in a member is for: `x->m(…)`, a test of whether there is one, `.m = f` or `x->m = f`, where f is a name, or anything else. Of a
 * preprocessed text, so that no macro hides what happens.
 * @param at index of the member's name
 */
export function useOfMember(tokens: readonly string[], at: number): MemberUse {
  const start = startOfExpression(tokens, at);
  const other: MemberUse = { kind: "other", text: textAround(tokens, start ?? at, at) };
  if (start === undefined) return other;
  const [before, next] = [tokens[start - 1] ?? "", tokens[at + 1] ?? ""];
  if (next === "(") return { kind: "call" };
  if (next === "=") return assigned(tokens, start, at) ?? other;
  return isTest(tokens, before, start, at) ? { kind: "test" } : other;
}

/** Where `a.b[c](d)->m` begins; of a designator its first point or bracket. */
function startOfExpression(tokens: readonly string[], at: number): number | undefined {
  let index = at;
  for (;;) {
    const separator = tokens[index - 1];
    if (separator !== "." && separator !== "->") return index === at ? undefined : index;
    // What the separator stands behind.
    let operand = index - 2;
    const isDesignator = separator === "." && /^[{,]$/.test(tokens[operand] ?? "");
    if (isDesignator) return index - 1;
    for (;;) {
      const token = tokens[operand] ?? "";
      if (token !== ")" && token !== "]") break;
      const open = openingOf(tokens, operand);
      if (open === undefined) return undefined;
      operand = open - 1;
      // `[ 3 ] . m` in a list of initial values.
      if (token === "]" && /^[{,]$/.test(tokens[operand] ?? "")) return open;
      if (token === ")" && !/^[\w$]+$|^[)\]]$/.test(tokens[operand] ?? "")) return open;
      // A keyword in front of parentheses is not called: `if ( a ) . m` is no expression, `return ( a ) -> m` is one.
      if (token === ")" && /^(?:return|else|do|case|goto)$/.test(tokens[operand] ?? "")) return open;
      if (token === ")" && /^(?:if|while|for|switch|sizeof|typeof|__typeof__|_Alignof)$/.test(tokens[operand] ?? "")) return undefined;
    }
    if (!/^[A-Za-z_$][\w$]*$/.test(tokens[operand] ?? "")) return undefined;
    index = operand;
  }
}

function openingOf(tokens: readonly string[], close: number): number | undefined {
  let depth = 0;
  for (let at = close; at >= 0; at--) {
    const token = tokens[at] ?? "";
    if (/^[)\]}]$/.test(token)) depth++;
    if (/^[([{]$/.test(token) && --depth === 0) return at;
  }
  return undefined;
}

/** Tokens that a statement, or an entry of a list of initial values, can begin behind. */
const BEGINS_STATEMENT = /^(?:[;{}):]|else|do)$/;

function assigned(tokens: readonly string[], start: number, at: number): MemberUse | undefined {
  const isDesignator = /^[.[]$/.test(tokens[start] ?? "");
  const before = tokens[start - 1] ?? "";
  if (isDesignator ? !/^[{,]$/.test(before) : !BEGINS_STATEMENT.test(before)) return undefined;
  // What stands last in `({ … })` is its value.
  const isValue = (index: number): boolean => tokens[index + 1] === "}" && tokens[index + 2] === ")";
  const ends = (index: number): boolean => (isDesignator ? /^[,}]$/.test(tokens[index] ?? "") : tokens[index] === ";" && !isValue(index));
  const length = lengthOfNull(tokens, at + 2);
  if (length > 0) return ends(at + 2 + length) ? { kind: "cleared" } : undefined;
  const name = tokens[at + 2] === "&" ? at + 3 : at + 2;
  return /^[A-Za-z_$][\w$]*$/.test(tokens[name] ?? "") && ends(name + 1) ? { kind: "provided", name: tokens[name] ?? "" } : undefined;
}

/** How many tokens `0` or `( ( void * ) 0 )` has there; 0 where neither stands. */
function lengthOfNull(tokens: readonly string[], at: number): number {
  const [bare, cast, wrapped] = [tokens.slice(at, at + 1), tokens.slice(at, at + 5), tokens.slice(at, at + 7)].map((list) =>
    list.join(" "),
  );
  if (bare === "0") return 1;
  if (cast === "( void * ) 0") return 5;
  return wrapped === "( ( void * ) 0 )" ? 7 : 0;
}

/** True if no more than whether there is a function can come out of it. */
function isTest(tokens: readonly string[], before: string, start: number, end: number): boolean {
  const next = tokens[end + 1] ?? "";
  if (/^(?:&|\*|sizeof|typeof|__typeof__|_Alignof|__alignof__)$/.test(before)) return false;
  if (before === "!") return true;
  if (next === "==" || next === "!=") {
    const length = lengthOfNull(tokens, end + 2);
    // Behind it a comparison is over, or what is compared is something else.
    return length > 0 && /^(?:[);,?:\]}]|&&|\|\|)$/.test(tokens[end + 2 + length] ?? "") && !isCast(tokens, start);
  }
  if (isCast(tokens, start)) return false;
  if (next === "?") return tokens[end + 2] !== ":";
  if (next === "&&" || next === "||") return true;
  if ((before === "&&" || before === "||") && /^[);,:\]}?]$/.test(next)) return true;
  if (before !== "(" || next !== ")") return false;
  const outer = tokens[start - 2] ?? "";
  if (/^(?:if|while)$/.test(outer)) return true;
  // The value of parentheses is that of what they hold; those of a call hold arguments.
  if (/^[\w$]+$|^[)\]]$/.test(outer)) return false;
  return isTest(tokens, outer, start - 1, end + 1);
}

/** True where a cast may stand in front: what follows a closing parenthesis is no operand otherwise. */
function isCast(tokens: readonly string[], start: number): boolean {
  return tokens[start - 1] === ")";
}

/** What a text does with the name of a function. */
export type FunctionUse = "declared" | "called" | "provided" | "other";

/**
 * @param at index of the name
 * @param isMember true of the index of a member that it is given to by name
 * @param depth how many braces and parentheses are open there
 */
export function useOfFunction(tokens: readonly string[], at: number, isMember: (index: number) => boolean, depth: Depth): FunctionUse {
  const before = tokens[at - 1] ?? "";
  // A member of some struct that has the same name.
  if (before === "." || before === "->") return "declared";
  const assignment = before === "&" ? at - 2 : at - 1;
  if (tokens[assignment] === "=" && isMember(assignment - 1)) return "provided";
  if (tokens[at + 1] !== "(") return "other";
  if (depth.braces > 0) return "called";
  // Among the parameters of another function it is one of that name.
  return depth.parentheses === 0 ? "declared" : "other";
}

export interface Depth {
  readonly braces: number;
  readonly parentheses: number;
}

/** All places of some words, with how deep they stand. */
export function placesOf(tokens: readonly string[], words: ReadonlySet<string>): { readonly at: number; readonly depth: Depth }[] {
  const found: { at: number; depth: Depth }[] = [];
  let [braces, parentheses] = [0, 0];
  for (const [at, token] of tokens.entries()) {
    if (token === "{") braces++;
    else if (token === "}") braces--;
    else if (token === "(") parentheses++;
    else if (token === ")") parentheses--;
    else if (words.has(token)) found.push({ at, depth: { braces, parentheses } });
  }
  return found;
}

/** Few words of the text, for messages. */
export function textAround(tokens: readonly string[], from: number, to: number): string {
  const text = tokens.slice(Math.max(0, from - 3, to - 12), to + 5).join(" ");
  return text.replaceAll(/ ?(->|\.(?=\w)|\(|\[) ?/g, "$1").replaceAll(/ ([)\],;])/g, "$1");
}
