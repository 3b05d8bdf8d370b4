import { describe, expect, it } from "vitest";
import { parseObject } from "../../../../src/elf/parse-object.js";
import { findTakenAddresses } from "../../../../src/update/prelink/taken-addresses.js";
import { compileBytes, GCC, KERNEL_LIKE_FLAGS } from "../../../support/compile-object.js";

const HEAD = "int f(int); void arm(void (*)(void *)); struct s { void (*call)(void *); const char *name; int *p; };";
const takenOf = (source: string, flags: readonly string[] = []): string[] =>
  findTakenAddresses(parseObject(compileBytes(`${HEAD} ${source}`, GCC ?? "gcc", [...KERNEL_LIKE_FLAGS, ...flags]), "unit.o"));

describe("addresses that the kernel may keep", () => {
  it.each([
    [
      "none, of functions that call each other",
      "static __attribute__((noinline)) int g(int n) { return n * f(n); } int h(int n) { return g(n) + f(n); }",
      [],
    ],
    ["none, of a variable that is read and written in place", "static int count; int h(void) { return ++count; }", []],
    ["none, of a table that is indexed", "static const int t[] = {1, 5, 7}; int h(long n) { return t[n]; }", []],
    ["a callback", "static void late(void *p) { f(1); } void h(void) { arm(late); }", ["late"]],
    ["a callback that is stored", "static void late(void *p) { f(1); } void h(struct s *s) { s->call = late; }", ["late"]],
    ["a string", 'void h(struct s *s) { s->name = "eth"; }', [".rodata.str1.1"]],
    ["a variable", "static int lock; void h(struct s *s) { s->p = &lock; }", ["lock"]],
    ["what a table holds", "static void late(void *p) { } struct s t = { late }; int h(void) { return t.call == 0; }", ["late"]],
    ["a constant that a function returns", "static const int t[] = {1, 2}; const int *h(void) { return t; }", ["t"]],
  ])("%s", (_, source, taken) => {
    expect(takenOf(source)).toEqual(taken);
  });

  it("that code computes from its own place, also within one section", () => {
    const flags = ["-mcmodel=small", "-fPIE"];
    expect(takenOf("static void late(void *p) { f(1); } void h(struct s *s) { s->call = late; }", flags)).toEqual(["late"]);
    expect(takenOf("static int count; int h(void) { return ++count; }", flags)).toEqual([]);
    expect(takenOf("static const int t[] = {1, 5, 7}; int h(long n) { return t[n]; }", flags)).toEqual(["t"]);
  });
});
