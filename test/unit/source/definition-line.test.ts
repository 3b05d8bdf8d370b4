import { describe, expect, it } from "vitest";
import { findDefinition, findTypeDefinition } from "../../../src/source/definition-line.js";

const SOURCE = `#include <linux/kernel.h>
static int helper(int x);
extern int limit;
int limit = 5;
static const char *const names[] = {
	"a",
};
static DEFINE_MUTEX(big_lock);
static int helper(int x)
{
	static unsigned long last;

	return helper2(x) + last;
}

int
two_lines(struct thing *thing,
	  int y)
{
	if (helper(y))
		return 1;
}
SYSCALL_DEFINE3(openat, int, dfd, const char __user *, name, int, flags)
{
}
static struct file_operations fops __ro_after_init = {
};
EXPORT_SYMBOL(two_lines);
`;

describe("the line of a definition", () => {
  it.each([
    ["a function, not its prototype", "helper", 9],
    ["a function whose type stands on the line above", "two_lines", 17],
    ["a datum, not its declaration", "limit", 4],
    ["an array", "names", 5],
    ["what a macro defines", "big_lock", 8],
    ["a static local", "last", 11],
    ["a system call", "__do_sys_openat", 23],
    ["a datum with an attribute", "fops", 26],
    ["a function that is only called", "helper2", undefined],
    ["nothing of that name", "absent", undefined],
  ])("%s", (_, symbol, line) => {
    expect(findDefinition(SOURCE, symbol)).toBe(line);
  });
});

const TYPES = `struct foo;
struct foo *foo_get(void);
extern struct foo first;
struct foo {
	struct bar *bar;
};
union either
{
	int a;
};
static struct bar { int x; } bar;
struct __packed wire {
};
typedef struct {
	int counter;
} atomic_t;
enum { FIRST, SECOND };
enum {
	THIRD = 3,
};
static int f(struct other *other)
{
	return THIRD;
}
`;

describe("the line of a type's definition", () => {
  it.each([
    ["struct foo", 4],
    ["union either", 7],
    ["struct bar", 11],
    ["struct wire", 12],
    ["atomic_t", 16],
    ["enum {FIRST, …}", 17],
    ["enum {THIRD, …}", 18],
    ["struct other", undefined],
    ["enum foo", undefined],
  ])("%s", (label, line) => {
    expect(findTypeDefinition(TYPES, label)).toBe(line);
  });
});
