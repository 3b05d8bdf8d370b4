import type { ChangedCallback } from "../../../btf/changed-callbacks.js";
import type { CompilerWitness } from "../../../kbuild/compile/compiler-witness.js";
import type { PreprocessedTokens } from "../../../source/preprocessed-tokens.js";

/** Where a text uses a member of one struct. */
export type MemberPlaces =
  /** Indexes of the member's name; and of the one in the struct's declaration, undefined where the text does not have it. */
  | { readonly kind: "known"; readonly declared: number | undefined; readonly uses: readonly number[] }
  | { readonly kind: "unknown"; readonly at: number | undefined; readonly why: string };

export type AskCompiler = (tokens: readonly string[], alone: string, errors?: readonly string[]) => Promise<CompilerWitness>;

/**
 * What a compiler must not find once all that was found goes by another name: initial values without a name, functions of another type than the member's, and that it does not know
 * the attribute by which it is asked for the first.
 */
const PROOF = ["designated-init", "incompatible-pointer-types", "int-conversion", "attributes"];

/**
 * Finds all places where a text uses a member, told apart from members of that name in other types. The text does not tell that, so the compiler is asked: the member is given another
 * name where it is declared, and the compiler complains of each place that uses it. Then these are renamed as well, and that the compiler has no more to say proves that
 * there are no others. Initial values without a name count as a use that cannot be told.
 */
export async function findMemberPlaces(
  { tokens }: PreprocessedTokens,
  { label, member }: ChangedCallback,
  ask: AskCompiler,
): Promise<MemberPlaces> {
  if (!tokens.includes(member)) return { kind: "known", declared: undefined, uses: [] };
  const tag = /^struct (\w+)$/.exec(label)?.[1];
  if (tag === undefined) return { kind: "unknown", at: undefined, why: "it is a struct without a tag" };
  const bodies = findBodies(tokens, tag);
  const [body] = bodies;
  if (body === undefined) {
    if (!tokens.includes(tag)) return { kind: "known", declared: undefined, uses: [] };
    const asksSize = [...tokens, `typedef char ksplice_size[sizeof(struct ${tag})];`];
    const isDefined = (await ask(asksSize, member)).accepted;
    return isDefined
      ? { kind: "unknown", at: tokens.indexOf(tag), why: `${label} is not defined plainly` }
      : { kind: "known", declared: undefined, uses: [] };
  }
  if (bodies.length > 1) return { kind: "unknown", at: bodies[1]?.open, why: `${label} is defined more than once` };
  const declared = findDeclared(tokens, body, member);
  if (declared === undefined) return { kind: "unknown", at: body.open, why: `${member} is not declared plainly` };

  const other = `${member}__ksplice`;
  const renamed = tokens.with(declared, other);
  const isElsewhere = tokens.some((token, at) => token === member && at !== declared);
  const { errors } = isElsewhere ? await ask(renamed, member) : { errors: [] };
  // Told of the name, or of the operator in front of it.
  const uses = new Set(
    errors.flatMap(({ start, end }) => [start, end].filter((at) => tokens[at] === member && at !== declared).slice(0, 1)),
  );
  for (const at of uses) renamed[at] = other;
  renamed[body.keyword] = "struct __attribute__((designated_init))";
  const proof = await ask(renamed, other, PROOF);
  if (proof.accepted) return { kind: "known", declared, uses: [...uses].sort((a, b) => a - b) };
  return { kind: "unknown", at: proof.errors[0]?.start, why: `the compiler says: ${(proof.first ?? "nothing").replaceAll(other, member)}` };
}

/** A definition of a struct: where its keyword and its braces are. */
interface Body {
  readonly keyword: number;
  readonly open: number;
  readonly close: number;
}

function findBodies(tokens: readonly string[], tag: string): Body[] {
  const bodies: Body[] = [];
  for (let at = tokens.indexOf(tag); at >= 0; at = tokens.indexOf(tag, at + 1)) {
    if (tokens[at + 1] !== "{") continue;
    const keyword = tokens.lastIndexOf("struct", at);
    // Between keyword and tag only attributes may stand.
    if (keyword < 0 || tokens.slice(keyword, at).some((token) => /^[;{}=]$/.test(token))) continue;
    let depth = 0;
    let close = at + 1;
    for (; close < tokens.length; close++) {
      if (tokens[close] === "{") depth++;
      if (tokens[close] === "}" && --depth === 0) break;
    }
    bodies.push({ keyword, open: at + 1, close });
  }
  return bodies;
}

/** The member's name, if the struct's text has it once, and in no struct inside of it. */
function findDeclared(tokens: readonly string[], { open, close }: Body, member: string): number | undefined {
  let depth = 0;
  const found: number[] = [];
  for (let at = open; at < close; at++) {
    if (tokens[at] === "{") depth++;
    if (tokens[at] === "}") depth--;
    if (tokens[at] === member) found.push(depth === 1 ? at : -1);
  }
  return found.length === 1 && found[0] !== -1 ? found[0] : undefined;
}
