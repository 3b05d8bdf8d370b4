import { describe, expect, it } from "vitest";
import { declaredTypes, isSameKindOfType } from "../../../../src/update/linkage/declared-types.js";

const cases: readonly (readonly [source: string, name: string, types: readonly string[]])[] = [
  ["static int limit;", "limit", ["int"]],
  ["static const unsigned long limit = 4;", "limit", ["unsigned long"]],
  ["struct foo *head;", "head", ["struct foo *"]],
  ["static struct foo heads[NR];", "heads", ["struct foo []"]],
  ["static int counts[2][NR];", "counts", ["int [] [ NR ]"]],
  ["int first, limit = 3;", "limit", ["int"]],
  ["static int limit __read_mostly = 3;", "limit", ["int"]],
  ["static DEFINE_MUTEX(lock);", "lock", ["struct mutex"]],
  ["static DECLARE_BITMAP(ids, 64) __read_mostly;", "ids", ["unsigned long []"]],
  ["static DEFINE_SOMETHING(ids, 4, 5);", "ids", ["DEFINE_SOMETHING ( )"]],
  ["int f(int x) { static LLIST_HEAD(ids); return x; }", "ids", ["struct llist_head"]],
  ["DEFINE_SHOW_ATTRIBUTE(ids);", "ids", []],
  ["static LLIST_HEAD(ids);\n#ifdef A\nint f(int ids) {\n#else\nint f(long ids) {\n#endif\nreturn 0; }", "ids", ["struct llist_head"]],
  ["int f(void) {\n#ifdef A\nif (1) {\n#else\n{\n#endif\nint ids; static long *kept; } }", "kept", ["long *"]],
  ["int ids; EXPORT_SYMBOL(ids);", "ids", ["int"]],
  ["int f(int x) { lock_it(ids); return x; }", "ids", []],
  ["extern int limit;", "limit", []],
  ["int f(void) { static long state; return state; }", "state", ["long"]],
  ["int f(void) { int state; return state; }", "state", []],
  ["int f(int x) { x++; static struct bar *last = 0; return last == 0; }", "last", ["struct bar *"]],
  ["int f(void) { static int a; return a; } int g(void) { static char *a; return *a; }", "a", ["int", "char *"]],
  ["int f(void) { return limit; } static int limit;", "limit", ["int"]],
  ["static int (*hook)(unsigned long pfn);", "hook", ["int ( * ) ( unsigned long )"]],
  ["static void (*hook)(struct foo *, int nr) = first;", "hook", ["void ( * ) ( struct foo * , int )"]],
  ["static struct { int a; int b; } nohz ____cacheline_aligned;", "nohz", ["struct { int a ; int b ; }"]],
  ["static struct { struct { int a; } in; } one, *two;", "two", ["struct { struct { int a ; } in ; } *"]],
  ["static struct foo { int a; } kept;", "kept", []],
  ["int f(void) { static struct { int a; } kept[2]; return kept[0].a; }", "kept", ["struct { int a ; } []"]],
  ["static DEFINE_PER_CPU(struct task_struct *, idle_threads);", "idle_threads", ["struct task_struct *"]],
  ["struct foo { int a; atomic_t lock; void (*hook)(int); }; static DEFINE_SPINLOCK(lock);", "lock", ["spinlock_t"]],
  ["struct foo { int a; void (*hook)(int); };", "hook", []],
  ["static struct foo kept = { .a = { 1 } };", "kept", ["struct foo"]],
  ["DEFINE_PER_CPU_ALIGNED(unsigned long, count) = 3;", "count", ["unsigned long"]],
];

describe("the type of a variable, by the text", () => {
  it.each(cases)("%s: %s", (source, name, types) => {
    expect([...declaredTypes(source, name)]).toEqual(types);
  });
});

describe("one kind of type", () => {
  it.each([
    ["int", "unsigned int", true],
    ["int", "u32", true],
    ["unsigned long", "struct foo *", false],
    ["struct foo *", "struct bar *", false],
    ["int", "int []", false],
    ["bool", "u8", true],
    ["u8", "bool", false],
    ["char []", "u8 []", true],
    ["char []", "u32 []", false],
    ["unsigned int []", "u32 []", true],
    ["long []", "u64 []", true],
    ["u32", "__be32", false],
    ["int", "enum state", true],
    ["enum state []", "unsigned int []", true],
    ["enum state", "enum mode", false],
    ["struct foo *", "enum state", false],
  ])("%s and %s", (before, after, expected) => {
    expect(isSameKindOfType(before, after)).toBe(expected);
  });
});
