#define __sched __attribute__((section(".sched.text")))
extern int switch_to(int);
__attribute__((noinline)) static int __sched inner(int x) { return switch_to(x) + 1; }
int __sched outer(int x) { return inner(x + 2); }
int reach(int (*f)(int)) { return f(1) + inner(2); }
