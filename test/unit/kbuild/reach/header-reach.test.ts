import { describe, expect, test } from "vitest";
import { headerReach } from "../../../../src/kbuild/reach/header-reach.js";
import { IncludeGraph } from "../../../../src/kbuild/reach/include-graph.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

/** One change of `net/h.h`, and a unit that includes it behind `net/other.h`. */
interface Case {
  readonly what: string;
  readonly pre: string;
  readonly post: string;
  readonly other?: string;
  /** Other files, by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly unit: string;
  /** What stands before the #include lines of the unit. */
  readonly before?: string;
}

const guarded = (text: string, name: string): string => `#ifndef _${name}_H\n#define _${name}_H\n${text}\n#endif\n`;

async function isReached({ pre, post, other = "", files = {}, unit, before = "" }: Case): Promise<boolean> {
  expect(post).not.toBe(pre);
  const [source, patched] = [temporaryDirectory(), temporaryDirectory()];
  writeFiles(source, {
    "net/h.h": guarded(pre, "H"),
    "net/other.h": guarded(`int other_unrelated(void);\n${other}`, "OTHER"),
    "net/unit.c": `${before}#include "other.h"\n#include "h.h"\n${unit}\n`,
    "net/outside.c": `#include "other.h"\n${unit}\n`,
    "arch/x86/none.c": "",
    ...files,
  });
  writeFiles(patched, { "net/h.h": guarded(post, "H") });
  const { files: reached } = await headerReach(await IncludeGraph.ofTree(source), ["net/h.h"], source, patched);
  expect(reached.has("net/outside.c")).toBe(false);
  return reached.has("net/unit.c");
}

const INLINE = { pre: "static inline int foo(int x)\n{\n\treturn x;\n}", post: "static inline int foo(int x)\n{\n\treturn x + 1;\n}" };
const MEMBER = { pre: "struct foo {\n\tint a;\n};", post: "struct foo {\n\tint b;\n\tint a;\n};" };
const prototype = (name: string): { pre: string; post: string } => ({ pre: `int ${name}(int);`, post: `int ${name}(long);` });

/** As in include/linux/cleanup.h, Linux 7: what is defined goes by the number of arguments, by two uses side by side, and with the declaration of an inline function before it. */
const GUARDS = `
#define guard(_name) class_##_name##_lock
#define CONCAT2(a, b) a##b
#define CONCATENATE(a, b) CONCAT2(a, b)
#define __COUNT_ARGS(_0, _1, _2, _3, _4, _n, X...) _n
#define COUNT_ARGS(X...) __COUNT_ARGS(, ##X, 4, 3, 2, 1, 0)
#define __nonnull_args(x...) __attribute__((__nonnull__(x)))
#define __IS_COND(_name, _yes) static __maybe_unused const bool class_##_name##_is_cond = _yes
#define __DEFINE_LOCK(_name, _how) static __always_inline int class_##_name##_lock(int *x) { return _how; }
#define __DEFINE_PTR(_name) static __always_inline int *class_##_name##_ptr(int *x) { return x; }
#define COND_4(_name, _ext, _how, _cond) __IS_COND(_name##_ext, true); __DEFINE_LOCK(_name##_ext, _how + _cond)
#define COND_3(_name, _ext, _how) COND_4(_name, _ext, _how, 0)
#define COND(X...) CONCATENATE(COND_, COUNT_ARGS(X))(X)
#define LOCK(_name, _how) __IS_COND(_name, false); __DEFINE_LOCK(_name, _how) __DEFINE_PTR(_name)
#define GUARD(_name, _type, _how) static __always_inline __nonnull_args(1) _type class_##_name##_new(_type _T); __DEFINE_LOCK(_name, _how)`;
const USED_GUARDS = `${GUARDS}
COND(mutex, _try, foo(*x))
COND(spin, _cond, 0, foo(*x))
LOCK(rwsem, foo(*x))
GUARD(device, struct device *, foo(*x))
int last(void);`;

const REACHED: readonly Case[] = [
  ...["mutex_try", "spin_cond", "rwsem", "device"].map((name) => ({
    what: `a function that a macro of a header defines with the name: ${name}`,
    ...INLINE,
    other: USED_GUARDS,
    unit: `int f(void) { return guard(${name})(0); }`,
  })),
  {
    what: "a macro that goes by the number of arguments, of the unit's own",
    ...INLINE,
    other: GUARDS,
    unit: "COND(mutex, _try, CONCATENATE(f, oo)(*x))",
  },
  {
    what: "the macro that puts the number of arguments behind another's name",
    pre: "#define CONCATENATE(a, b) CONCAT2(a, b)",
    post: "#define CONCATENATE(a, b) a##b",
    other:
      "#define CONCAT2(a, b) a##b\n#define COUNT_ARGS(X...) 2\n#define COND_2(a, b) int a = b\n#define COND(X...) CONCATENATE(COND_, COUNT_ARGS(X))(X)",
    unit: "COND(y, 2);",
  },
  {
    what: "what a macro is for a number of arguments",
    pre: "#define COND_2(a, b) int a = b",
    post: "#define COND_2(a, b) int a = 1 + b",
    other:
      "#define CONCAT2(a, b) a##b\n#define CONCATENATE(a, b) CONCAT2(a, b)\n#define COUNT_ARGS(X...) 2\n#define COND_1(a) int a\n#define COND(X...) CONCATENATE(COND_, COUNT_ARGS(X))(X)",
    unit: "COND(y, 2);",
  },
  { what: "a call of a changed inline", ...INLINE, unit: "int f(void) { return foo(1); }" },
  { what: "a macro's other value", pre: "#define FOO 1", post: "#define FOO 2", unit: "int f = FOO;" },
  { what: "a macro that goes", pre: "#define FOO 1", post: "", unit: "#ifdef FOO\nint f;\n#endif" },
  { what: "a macro's other number of arguments", pre: "#define FOO(a) a", post: "#define FOO(a, b) a", unit: "int f = FOO(1);" },
  {
    what: "a function that becomes a macro",
    pre: "int foo(int);",
    post: "int foo(int);\n#define foo(x) 0",
    unit: "int f(void) { return foo(1); }",
  },
  { what: "a macro under another condition", pre: "#define FOO 1", post: "#ifdef CONFIG_X\n#define FOO 1\n#endif", unit: "int f = FOO;" },
  {
    what: "an #ifdef that moves around a declaration",
    pre: "#ifdef A\nint x(void);\n#endif\nint foo(int);",
    post: "#ifdef A\nint x(void);\nint foo(int);\n#endif",
    unit: "int (*f)(int) = foo;",
  },
  { what: "an enumerator in the middle", pre: "enum e { A, C };", post: "enum e { A, B, C };", unit: "int f = C;" },
  {
    what: "the type of an enumeration that gets a negative value",
    pre: "enum e { A };",
    post: "enum e { A, B = -1 };",
    unit: "int f(enum e x) { return x > 0; }",
  },
  {
    what: "the type of an enumeration that grows out of an int",
    pre: "enum e { A };",
    post: "enum e { A, B = 0x80000000 };",
    unit: "int f(enum e x) { return sizeof(x); }",
  },
  {
    what: "the type of an enumeration, by a macro that gives it its values",
    pre: "#define V 1",
    post: "#define V -1",
    other: "enum e { A = V, B };",
    unit: "int f(enum e x) { return x > 0; }",
  },
  {
    what: "an enumerator that follows one of another header",
    pre: "enum e { A, C };",
    post: "enum e { A, B, C };",
    other: "enum g { G = C + 1, H, I };",
    unit: "int f = I;",
  },
  {
    what: "an enumerator that follows what a macro says, which is not told",
    pre: "enum e { A = V, C };",
    post: "enum e { A = V, B, C };",
    unit: "int f(enum e x) { return x > 0; }",
  },
  { what: "a renamed type of an enumeration", pre: "enum e { A };", post: "enum g { A };", unit: "int f(enum e x) { return x; }" },
  {
    what: "an enumerator through a table of another header",
    pre: "enum e { A, C };",
    post: "enum e { A, B, C };",
    other: "#define TABLE { C }",
    unit: "int f[] = TABLE;",
  },
  { what: "a member of a named type", ...MEMBER, unit: "int f(struct foo *x) { return x->a; }" },
  {
    what: "a member that is renamed, by a macro of elsewhere",
    pre: "struct foo { int a; };",
    post: "struct foo { int b; };",
    other: "#define foo_a(x) ((struct foo *)x)->a",
    unit: "int f(void *x) { return foo_a(x); }",
  },
  {
    what: "a type in a type in a type",
    ...MEMBER,
    other: "struct bar { struct foo foo; };\nstruct baz { struct bar *bar; };",
    unit: "int f(struct baz *x) { return x->bar->foo.a; }",
  },
  {
    what: "a typedef of a type",
    ...MEMBER,
    other: "typedef struct foo foo_t;\ntypedef foo_t *foo_p;",
    unit: "int f(foo_p x) { return x->a; }",
  },
  {
    what: "a type's typedef of its own",
    pre: "typedef struct { int a; } foo_t;",
    post: "typedef struct { int b, a; } foo_t;",
    unit: "int f(foo_t *x) { return x->a; }",
  },
  { what: "an object of the type", ...MEMBER, other: "extern struct foo the_foo;", unit: "int f(void) { return the_foo.a; }" },
  { what: "a function that gives the type", ...MEMBER, other: "struct foo *get_foo(void);", unit: "int f(void) { return get_foo()->a; }" },
  {
    what: "typeof what a function gives",
    ...MEMBER,
    other: "struct foo *get_foo(void);",
    unit: "int f(void *x) { return ((typeof(get_foo()))x)->a; }",
  },
  {
    what: "a pointer to a function that takes the type",
    ...MEMBER,
    other: "struct ops {\n\tint (*call)(struct foo *foo);\n};",
    unit: "void f(struct ops *o) { o->call(0); }",
  },
  {
    what: "inlines that call one another",
    ...INLINE,
    other: "static inline int a(void)\n{\n\treturn foo(1);\n}\nstatic inline int b(void)\n{\n\treturn a();\n}\n#define c() b()",
    unit: "int f(void) { return c(); }",
  },
  {
    what: "a choice by type",
    ...MEMBER,
    other: "#define kind(x) _Generic((x), struct foo *: 1, default: 0)",
    unit: "int f(void *x) { return kind(x); }",
  },
  {
    what: "a condition of another header",
    pre: "#define FOO 1",
    post: "#define FOO 2",
    other: "#if FOO > 1\n#define BAR 1\n#else\n#define BAR 2\n#endif",
    unit: "int f = BAR;",
  },
  {
    what: "a condition inside of a type",
    pre: "",
    post: "#define FOO",
    other: "struct bar {\n#ifdef FOO\n\tint a;\n#endif\n\tint b;\n};",
    unit: "int f(struct bar *x) { return x->b; }",
  },
  {
    what: "a condition around an #include",
    pre: "",
    post: "#define FOO",
    other: '#ifdef FOO\n#include "more.h"\n#endif',
    files: { "net/more.h": "int more;\n" },
    unit: "int f;",
  },
  {
    what: "a name that becomes a macro",
    pre: "",
    post: "#define count total",
    other: "static inline int get(int *count)\n{\n\treturn *count;\n}",
    unit: "int f(void) { return get(0); }",
  },
  { what: "a definition in another header", ...INLINE, other: "static int table[] __used = { foo(1) };", unit: "int f;" },
  { what: "a macro of unknown effect in another header", ...INLINE, other: "DEFINE_SOMETHING(foo);", unit: "int f;" },
  {
    what: "half a block in another header",
    ...INLINE,
    other: "#ifdef X\nint a(void) {\n#else\nint b(void) {\n#endif\n\treturn foo(1); }",
    unit: "int f;",
  },
  {
    what: "a header that is included again with other macros",
    ...INLINE,
    files: { "net/template.h": "static inline int NAME(void)\n{\n\treturn foo(1);\n}\n" },
    unit: '#define NAME one\n#include "template.h"\n#undef NAME\n#define NAME two\n#include "template.h"\nint f(void) { return one(); }',
  },
  {
    what: "a C file that the unit includes",
    ...INLINE,
    files: { "net/part.c": "int g(void) { return foo(1); }\n" },
    unit: '#include "part.c"',
  },
  {
    what: "text of another kind that the unit includes",
    ...INLINE,
    files: { "net/part.inc": "int g(void) { return foo(1); }\n" },
    unit: '#include "part.inc"',
  },
  { what: "the compiler's own name", ...prototype("strlen_x"), unit: "int f(void) { return __builtin_strlen_x(1); }" },
  { what: "a pasted name", ...prototype("bar_x"), other: "#define foo(x) bar_##x", unit: "int f(void) { return foo(x)(1); }" },
  {
    what: "a name pasted in the midst",
    ...prototype("a_b_c"),
    other: "#define foo(x, y) x##_b_##y",
    unit: "int f(void) { return foo(a, c)(1); }",
  },
  {
    what: "a name pasted by macros on macros",
    ...prototype("bar_x"),
    other: "#define P2(a, b) a##b\n#define P(a, b) P2(a, b)\n#define foo(x) P(bar_, x)",
    unit: "int f(void) { return foo(x)(1); }",
  },
  {
    what: "a name pasted of a macro's value",
    ...prototype("bar_x"),
    other: "#define P2(a, b) a##b\n#define P(a, b) P2(a, b)\n#define BAR bar_",
    unit: "int f(void) { return P(BAR, x)(1); }",
  },
  {
    what: "a name pasted of a number",
    ...prototype("bar8"),
    other: "#define P2(a, b) a##b\n#define P(a, b) P2(a, b)\n#define SIZE 8",
    unit: "int f(void) { return P(bar, SIZE)(1); }",
  },
  {
    what: "a name pasted of a value of the unit's own",
    ...prototype("bar_x"),
    other: "#define P2(a, b) a##b\n#define P(a, b) P2(a, b)",
    unit: "#define BAR bar_\nint f(void) { return P(BAR, x)(1); }",
  },
  {
    what: "a name pasted of a call's result",
    ...prototype("bar2"),
    other: "#define P2(a, b) a##b\n#define P(a, b) P2(a, b)\n#define COUNT(a, b) 2",
    unit: "int f(void) { return P(bar, COUNT(1, 2))(1); }",
  },
  {
    what: "a name pasted twice",
    ...prototype("a_b_c"),
    other: "#define P(a, b) a##b\n#define Q(a, b) P(a, b)\n#define foo(x) Q(Q(a_, b_), x)",
    unit: "int f(void) { return foo(c)(1); }",
  },
  {
    what: "a macro with parameters whose name another one pastes and calls",
    ...prototype("bar_x"),
    other: "#define INNER(x) bar_##x\n#define CALL(op, x) IN##op(x)",
    unit: "int f(void) { return CALL(NER, x)(1); }",
  },
  {
    what: "a macro with parameters whose name another one pastes, and the unit calls",
    ...prototype("bar_x"),
    other: "#define INNER(x) bar_##x\n#define NAME(op) IN##op",
    unit: "int f(void) { return NAME(NER)(x)(1); }",
  },
  {
    what: "a macro with parameters whose name is pasted and passed to one that calls it",
    ...prototype("bar_x"),
    other: "#define INNER(x) bar_##x\n#define APPLY(m, x) (m)(m(x))\n#define CALL(op, x) APPLY(IN##op, x)",
    unit: "int f(void) { return CALL(NER, x); }",
  },
  {
    what: "a macro with parameters whose name is pasted behind another word",
    ...prototype("bar_x"),
    other: "#define INNER(x) bar_##x\n#define JOIN(a, b) a##b\n#define SPREAD(a, b) JOIN(a, b)(x)\n#define CALL(op) SPREAD(, 1 + IN##op)",
    unit: "int f(void) { return CALL(NER)(1); }",
  },
  {
    what: "a name that the unit's own macro pastes",
    ...prototype("bar_x"),
    unit: "#define foo(x) bar_##x\nint f(void) { return foo(x)(1); }",
  },
  {
    what: "an inline that pastes",
    ...prototype("bar_x"),
    other: "#define foo(x) bar_##x\nstatic inline int g(void)\n{\n\treturn foo(x)(1);\n}",
    unit: "int f(void) { return g(); }",
  },
  {
    what: "a list of macros",
    ...prototype("bar_x"),
    other: "#define LIST(X) X(x) X(y)\n#define foo(x) bar_##x(1);",
    unit: "int f(void) { LIST(foo) return 0; }",
  },
  {
    what: "a list in a file",
    ...prototype("bar_x"),
    files: { "net/list.h": "X(x)\nX(y)\n" },
    unit: '#define X(x) bar_##x(1);\nint f(void) {\n#include "list.h"\nreturn 0; }',
  },
  {
    what: "a macro whose name is pasted pastes",
    ...prototype("bar_x"),
    other: "#define foo_1(x) bar_##x\n#define foo(n, x) foo_##n(x)",
    unit: "int f(void) { return foo(1, x)(1); }",
  },
  {
    what: "a function that a macro defines",
    ...INLINE,
    other: "#define DEFINE_X(name) static inline int name##_x(void) { return foo(1); }\nDEFINE_X(bar)\n",
    unit: "int f(void) { return bar_x(); }",
  },
  {
    what: "a type in a macro that defines a function, in the unit",
    ...MEMBER,
    other: "#define DEFINE_X(name) static int name##_x(struct foo *x) { return x->a; }",
    unit: "DEFINE_X(bar)",
  },
  {
    what: "any number of arguments",
    ...prototype("bar_x"),
    other: "#define foo(x, y...) bar_##y(x)",
    unit: "int f(void) { return foo(1, x); }",
  },
  { what: "an #include that comes", pre: "", post: "#include <linux/more.h>", unit: "int f;" },
  { what: "a pragma", pre: "", post: "#pragma pack(1)", unit: "int f;" },
  { what: "a definition that changes", pre: "static int foo __used = 1;", post: "static int foo __used = 2;", unit: "int f;" },
  {
    what: "a function of the compiler's",
    pre: "void *memcpy(void *, const void *, unsigned long);",
    post: "void *memcpy(void *, const void *, unsigned long) __pure;",
    unit: "struct a { int b[99]; }; void f(struct a *x, struct a *y) { *x = *y; }",
  },
  { what: "an option of the configuration", pre: "", post: "#define CONFIG_FOO 1", unit: "int f;" },
  { what: "another guard", pre: "#ifdef _OTHER_H\n#endif", post: "#undef _OTHER_H", unit: "int f;" },
];

const NOT_REACHED: readonly Case[] = [
  { what: "enumerators before the one that comes", pre: "enum e { A, C };", post: "enum e { A, B, C };", unit: "int f = A;" },
  {
    what: "the type of an enumeration that gets one more",
    pre: "enum e { A, C };",
    post: "enum e { A, B, C };",
    other: "struct s { enum e e; };",
    unit: "int f(enum e x, struct s *s) { return x == s->e; }",
  },
  { what: "enumerators that are told anew", pre: "enum e { A, C };", post: "enum e { A = 0, C = 1, };", unit: "int f = C;" },
  {
    what: "a name that is pasted and is that of a macro with parameters, without a parenthesis",
    ...prototype("bar_x"),
    other: "#define INNER(x) bar_##x\n#define DECLARE(op) extern int IN##op",
    unit: "DECLARE(NER);",
  },
  {
    what: "a name of a macro with parameters that is pasted into a longer one",
    ...prototype("bar_x"),
    other: "#define INNER(x) bar_##x\n#define CAT_(a, b) a##b\n#define CAT(a, b) CAT_(a, b)\n#define ID(op) CAT(CAT(IN, op), _x)",
    unit: "int f(void) { return ID(NER)(x); }",
  },
  {
    what: "a name that would be a macro's if the unit included its header",
    ...prototype("bar_x"),
    other: "#define CALL(op, x) IN##op(x)",
    files: { "net/far.h": "#define INNER(x) bar_##x\n", "net/near.c": '#include "far.h"\n#include "h.h"\nint near;\n' },
    unit: "int f(void) { return CALL(NER, x); }",
  },
  { what: "another inline", ...INLINE, unit: "int f(void) { return 1; }" },
  { what: "the name in comments and strings", ...INLINE, unit: '/* foo */ // foo\nchar *f = "foo";' },
  { what: "a longer name", ...INLINE, unit: "int f = foo_1;" },
  { what: "a comment that changes", pre: "/* a */ int foo;", post: "/* b */\nint  foo;", unit: "int f = foo;" },
  {
    what: "what another type of the header is used for",
    ...MEMBER,
    other: "struct bar { int a; };",
    unit: "int f(struct bar *x) { return x->a; }",
  },
  {
    what: "an inline of elsewhere that nobody calls",
    ...INLINE,
    other: "static inline int a(void)\n{\n\treturn foo(1);\n}",
    unit: "int f;",
  },
  {
    what: "a header that the unit does not include",
    ...INLINE,
    files: { "net/far.h": "static inline int far(void)\n{\n\treturn foo(1);\n}\n" },
    unit: "int far(void); int f(void) { return far(); }",
  },
  {
    what: "a name that other arguments would form",
    ...prototype("bar_x"),
    other: "#define foo(x) bar_##x",
    unit: "int f(void) { return foo(y)(1); }",
  },
  {
    what: "a name that other arguments would form, on macros",
    ...prototype("bar_x"),
    other: "#define P2(a, b) a##b\n#define P(a, b) P2(a, b)\n#define foo(x) P(bar_, x)\nint g(void *, int *P(foo_, x));",
    unit: "int f(void) { return foo(y)(1) + P(baz_, x); }",
  },
  {
    what: "functions that macros of a header define with the name",
    ...INLINE,
    other: USED_GUARDS,
    unit: "int class_other_lock(int *);\nint f(void) { return guard(other)(0); }",
  },
  {
    what: "a name that a macro would form of its own name, which C does not replace again",
    ...prototype("bar_x"),
    other: "#define ID(x) id_##x\n#define P(a, b) bar_##a\n#define foo(x) P(x, ID(foo))",
    unit: "int f(void) { return foo(y)(1); }",
  },
  {
    what: "macros that go by the number of arguments, and are given other names",
    ...INLINE,
    other: `${GUARDS}\nCOND(mutex, _try, bar(*x))\nint last(void);`,
    unit: "int f(void) { return class_mutex_try_lock(0); }",
  },
  { what: "a forward declaration", pre: "", post: "struct foo;", unit: "int f(struct foo *x) { return x->a; }" },
  { what: "a parameter of a macro with the name", ...INLINE, other: "#define id(foo) (foo)", unit: "int f = id(1);" },
];

describe("a unit is reached by a change of a header", () => {
  test.each(REACHED)("$what", async (reached) => {
    expect(await isReached(reached)).toBe(true);
  });
});

test("a unit is reached through a header that the build generates, and through other text of that kind whatever it says", async () => {
  const [source, patched, outDir] = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()];
  const unit = (include: string): string => `#include "h.h"\n#include ${include}\nint f = TIME;\n`;
  writeFiles(source, {
    "net/h.h": guarded("#define U64(x) x", "H"),
    "net/a.c": unit("<generated/time.h>"),
    "net/b.c": unit('"table.c"'),
    "net/outside.c": unit("<generated/other.h>"),
    "arch/x86/none.c": "",
  });
  writeFiles(patched, { "net/h.h": guarded("#define U64(x) -x", "H") });
  writeFiles(outDir, {
    "include/generated/time.h": "#define TIME U64(3)\n",
    "include/generated/other.h": "#define OTHER U64(3)\n",
    "net/table.c": "int table = 3;\n",
  });
  const { files } = await headerReach(await IncludeGraph.ofTree(source), ["net/h.h"], source, patched, { outDir });
  expect([...files].sort()).toEqual(["net/a.c", "net/b.c"]);
});

describe("a unit is not reached by a change of a header", () => {
  test.each(NOT_REACHED)("$what", async (spared) => {
    expect(await isReached(spared)).toBe(false);
  });
});
