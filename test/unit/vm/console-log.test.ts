import { expect, test } from "vitest";
import { findProblems, lastWords } from "../../../vm/console-log.js";

test.each([
  "[    1.0] BUG: kernel NULL pointer dereference, address: 0000000000000000",
  "[    1.0] WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2",
  "[    1.0] Oops: 0000 [#1] PREEMPT SMP",
  "[    1.0] Call Trace:",
  "[    1.0] general protection fault, probably for non-canonical address",
  "[    1.0] watchdog: BUG: soft lockup - CPU#1 stuck for 22s!",
  "[    1.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
  "[    1.0] rcu: INFO: rcu_preempt self-detected stall on CPU",
  "[    1.0] Kernel panic - not syncing: Fatal exception",
  "[    1.0] invalid opcode: 0000 [#1] PREEMPT SMP",
  "[    1.0] INFO: trying to register non-static key.",
  "[    1.0] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
  "[    1.0] INFO: task cat:123 blocked for more than 120 seconds.",
])("a problem: %s", (line) => {
  expect(findProblems(`before\n${line}\r\nafter\n`)).toEqual([line]);
});

test.each([
  "[    0.1] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on",
  "[    0.1] ksplice: first applied",
  "[    0.1] DEBUG: all is well",
  "[    0.1] mtrr: your CPUs had inconsistent fixed MTRR settings",
  "",
])("not a problem: %s", (line) => {
  expect(findProblems(line)).toEqual([]);
});

test.each([
  ["a\nb\nc\n\n", "  b\n  c"],
  ["a\n", "  a"],
  ["a\nKernel panic - not syncing: x\r\nCPU: 0\nb\nc\nd", "  Kernel panic - not syncing: x\r\n  CPU: 0"],
])("last words of %j", (log, expected) => {
  expect(lastWords(log, 2)).toBe(expected);
});
