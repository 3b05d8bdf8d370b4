import { describe, expect, it } from "vitest";
import { verifyUpdate, type Verification } from "../../../../src/update/verify/verify-update.js";
import type { FakeKernel } from "../../../support/fake-kernel.js";
import { applySample, NEW_MODULE, replaces, type AppliedOptions, type SampleUnit } from "../../../support/applied-sample.js";

/** Run-post matching finds updates that apply cleanly and are wrong, and says nothing of one that is right. */

const A = `
extern int printk(const char *, ...);
#define apart __attribute__((noinline, noclone))
struct ops { int (*run)(int); int (*stop)(int); int limit; };
int total = 1;
static int counter;
static apart int helper(int x) { return x * 7 + counter; }
apart int entry(int x) { counter += x; printk("x %d", x); return helper(x) * 3; }
static apart int stop(int x) { return x - total; }
const struct ops a_ops = { entry, stop, 10 };
struct ops a_state = { entry, stop, 10 };
apart int other(int x) { static int calls; calls += x; return entry(x) + 1000 + calls; }
`;
const B = `
extern int entry(int);
extern int total;
int shared;
int user(int x) { total += x; return entry(x) + shared; }
`;
/** Its source is touched, and its code stays the same. */
const C = `
extern int entry(int);
extern int other(int);
int caller(int x) { return entry(x) + other(x + 1); }
`;

const edit = (text: string, from: string, to: string): string => {
  expect(text).toContain(from);
  return text.replace(from, to);
};

const a: SampleUnit = { path: "kernel/a.o", pre: A, post: edit(A, "helper(x) * 3", "helper(x) * 5"), brought: ["entry"] };
const b: SampleUnit = { path: "kernel/b.o", pre: B, post: edit(B, "+ shared", "- shared"), brought: ["user"] };
const c: SampleUnit = { path: "kernel/c.o", pre: C, post: C };

/** Makes every `call` in a loaded function that leads to `from` lead to `to`. */
function callElsewhere(kernel: FakeKernel, name: string, from: bigint, to: bigint): void {
  const start = kernel.addrOf(name);
  const code = kernel.read(start, 32) ?? new Uint8Array(0);
  const view = new DataView(code.buffer, code.byteOffset);
  for (let at = 0; at + 5 <= code.length; at++) {
    const end = start + BigInt(at + 5);
    if (code[at] !== 0xe8 || end + BigInt(view.getInt32(at + 1, true)) !== from) continue;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, Number(to - end), true);
    kernel.poke(start + BigInt(at + 1), [...bytes]);
  }
}

function verify(units: readonly SampleUnit[], options: AppliedOptions = {}): Verification {
  const { update, kernel } = applySample(units, options);
  return verifyUpdate(update, kernel);
}

/** `UNIT SYMBOL KIND` of each finding. */
function findings(units: readonly SampleUnit[], options: AppliedOptions = {}): string[] {
  return verify(units, options).findings.map(({ unit, symbol, kind }) => `${unit.replace("kernel/", "")} ${symbol} ${kind}`);
}

/** `a` without `other`, which the patch moves to `b`. */
const withoutOther = edit(
  A,
  /apart int other.*\n/.exec(A)?.[0] ?? "",
  "extern int other(int);\nint third(int x) { return other(x) + 1; }\n",
);
const moved: SampleUnit[] = [
  { ...a, post: withoutOther, brought: ["third"], functions: [replaces("other", "new:kernel/b.o:other")] },
  { ...b, post: `${B}\n__attribute__((noinline, noclone)) int other(int x) { return x + 4; }\n`, brought: ["other"], functions: [] },
];

/** Runs at boot only. */
const boot: SampleUnit = { path: "kernel/boot.o", pre: "int setup(int x) { return x; }", post: "int setup(int x) { return x; }" };
function freeBoot(kernel: FakeKernel): void {
  const start = kernel.addrOf("setup");
  kernel.define("__init_begin", start - (start % 4096n), "D");
  kernel.define("__init_end", start + 4096n, "D");
}

const POINTED = `
const int limits[] = { 1, 2, 3 };
const int *chosen = limits;
int (*handler)(int);
int look(int x) { return limits[x] + (int)sizeof(limits) + *chosen; }
int (*handler)(int) = look;
`;
const pointed: SampleUnit = { path: "kernel/p.o", pre: POINTED, post: POINTED };

const HANDED = `
extern void keep(const int *);
static const int table[] = { 1, 2, 3 };
int look(int x) { return table[x] + (int)sizeof(table); }
__attribute__((section(".init.text"))) int setup(void) { keep(table); return 0; }
`;
const handed: SampleUnit = { path: "kernel/h.o", pre: HANDED, post: HANDED };

const IDS = `
static const int ids[] = { 1, 2, 3 };
extern const int __mod_usb__ids_device_table[] __attribute__((alias("ids")));
int look(int x) { return ids[x] + (int)sizeof(ids); }
`;

describe("an update that is right", () => {
  it("is verified, unit by unit and name by name", () => {
    expect(verify([a, b, c])).toMatchObject({ id: "fix", units: 3, functions: 6, symbols: 8, skippedTargets: [], findings: [] });
  });

  it.each<[string, readonly SampleUnit[], AppliedOptions]>([
    ["may move a function to another unit, to which its old code is redirected", moved, {}],
    [
      "may bring a function and a variable that two units use",
      [
        {
          ...a,
          post: edit(
            `int fresh_count;\nint fresh(int x) { return fresh_count += x; }\n${A}`,
            "return x - total",
            "return fresh(x) - total",
          ),
          brought: ["fresh", "fresh_count", "stop"],
        },
        {
          ...b,
          post: edit(B, "extern int entry(int);", "extern int entry(int);\nextern int fresh_count;").replace(
            "+ shared",
            "+ shared + fresh_count",
          ),
          imports: { fresh_count: `${NEW_MODULE}:fresh_count` },
        },
      ],
      {},
    ],
    [
      "may bring a table of ids anew, of which tools have a name that nothing goes by",
      [{ path: "kernel/i.o", pre: IDS, post: edit(IDS, "{ 1, 2, 3 }", "{ 1, 2, 3, 4 }"), brought: ["look", "ids"] }],
      {},
    ],
    [
      "may replace a function to which a pointer led that the kernel has changed since",
      [{ ...pointed, post: edit(POINTED, "+ *chosen", "- *chosen"), brought: ["look"] }],
      {
        change: (kernel) => {
          kernel.poke(kernel.addrOf("handler"), [1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff]);
        },
      },
    ],
    [
      "may replace what an earlier update brought, and lead there over it",
      [a, b],
      {
        change: (kernel, core) => {
          // The code that the first update brought stands between the old one and the newest.
          kernel.place(0xffffffffc0700000n, new Array<number>(64).fill(0xcc));
          kernel.define("entry", 0xffffffffc0700000n, "t", "ksplice_first_vmlinux");
          kernel.applied.set("ksplice_first_vmlinux", "vmlinux");
          kernel.redirect(0xffffffffc0700000n, core[0]?.newAddr ?? 0n);
        },
      },
    ],
    [
      "may bring code that was freed after boot",
      [
        { ...boot, brought: ["setup"], functions: [] },
        {
          ...b,
          post: edit(B, "+ shared", "- setup(x)").replace("int shared;", "int shared; extern int setup(int);"),
          imports: { setup: `${NEW_MODULE}:setup` },
        },
      ],
      { change: freeBoot },
    ],
  ])("%s", (_, units, options) => {
    expect(findings(units, options)).toEqual([]);
  });
});

const TWO_STATES = edit(A, "return x - total", "static int calls; calls += x; return x - total - calls");

describe("an update is found to be wrong", () => {
  it.each<[string, readonly SampleUnit[], AppliedOptions, string[]]>([
    [
      "that does not redirect a function which others of its unit call",
      [a, b],
      { forgotten: ["entry"] },
      ["a.o entry not-redirected", "a.o other mismatch"],
    ],
    [
      "that does not redirect a function which only other units call",
      [a, b],
      { forgotten: ["user"] },
      ["b.o user not-redirected", "b.o user not-redirected", "b.o user wrong-address"],
    ],
    ["whose manifest has lost a function", [a, { ...b, functions: [] }], {}, ["b.o user not-redirected", "b.o user wrong-address"]],
    ["that redirects a function to stale code", [{ ...a, made: edit(A, "helper(x) * 3", "helper(x) * 9") }, b], {}, ["a.o entry mismatch"]],
    [
      "that redirects a function to another one",
      [a, b],
      { change: (kernel, core) => core.splice(1, 1, { ...core[1], newAddr: kernel.addrOf("entry", NEW_MODULE) } as (typeof core)[0]) },
      ["b.o user stray-redirection", "b.o user not-redirected", "b.o user wrong-address"],
    ],
    [
      "with a redirection that nobody named",
      [a, b],
      {
        change: (kernel, core) =>
          core.push({
            ...core[0],
            name: "caller",
            oldAddr: kernel.addrOf("other"),
            newAddr: kernel.addrOf("user", NEW_MODULE),
          } as (typeof core)[0]),
      },
      ["a.o other mismatch", "vmlinux caller stray-redirection"],
    ],
    [
      "that redirects something else than it names",
      [a, b],
      { change: (kernel, core) => core.splice(1, 1, { ...core[1], oldAddr: kernel.addrOf("total") } as (typeof core)[0]) },
      ["b.o user not-redirected", "b.o user stray-redirection", "b.o user wrong-address"],
    ],
    [
      "with a second copy of a global variable in one of two units",
      [a, { ...b, made: edit(B, "extern int total;", "int total;").replace("+ shared", "- shared"), brought: ["user", "total"] }],
      {},
      ["b.o total two-addresses", "b.o total wrong-address"],
    ],
    [
      "whose static variable begins anew",
      [{ ...a, post: edit(a.post, "static int counter;", "static int counter;"), brought: ["entry", "helper", "counter"] }, b],
      {},
      ["a.o counter second-copy"],
    ],
    [
      "whose static local begins anew",
      [{ ...a, post: edit(A, "+ 1000", "+ 1001"), brought: ["other", "calls.0"] }, b],
      {},
      ["a.o calls.0 second-copy"],
    ],
    [
      "that binds a static local to that of another function",
      [{ ...a, post: TWO_STATES, brought: ["stop", "other"], imports: { "calls.0": "calls.0", "calls.1": "calls.0" } }, b],
      {},
      ["a.o calls.1 shared-address"],
    ],
    [
      "that does not redirect a function that moved to another unit",
      moved,
      { forgotten: ["other"] },
      ["a.o other not-redirected", "b.o other two-addresses", "b.o other wrong-address"],
    ],
    [
      "whose unchanged caller in a touched file calls another copy",
      [a, { ...b, brought: ["user"] }, c],
      {
        change: (kernel) => {
          // The call of `entry` in c.o leads to a function of that name which is not the one.
          const wrong = 0xffffffffc0900000n;
          kernel.place(wrong, new Array<number>(64).fill(0xcc));
          kernel.define("entry", wrong, "t", NEW_MODULE);
          callElsewhere(kernel, "caller", kernel.addrOf("entry"), wrong);
        },
      },
      ["c.o entry two-addresses", "c.o entry wrong-address"],
    ],
    [
      "that leaves a table of constants as it was",
      [{ ...a, post: edit(a.post, "stop, 10 };\nstruct", "stop, 11 };\nstruct") }, b],
      {},
      ["a.o a_ops mismatch"],
    ],
    [
      "that leaves a pointer to what it replaced in data",
      [
        {
          ...a,
          post: a.post.replace("struct ops a_state = { entry, stop", "int fresh(int x) { return x; }\nstruct ops a_state = { entry, fresh"),
          brought: ["entry", "fresh"],
        },
        b,
      ],
      {},
      ["a.o a_state stale-pointer"],
    ],
    [
      "whose new code calls what was freed after boot",
      [{ ...b, post: edit(B, "+ shared", "- setup(x)").replace("int shared;", "int shared; extern int setup(int);") }, boot],
      { change: freeBoot },
      ["b.o user freed-memory"],
    ],
    [
      "whose static local, now the file's, begins anew",
      [
        {
          ...a,
          post: edit(A, "static int calls; calls", "calls").replace("static int counter;", "static int counter; static int calls;"),
          brought: ["other", "calls"],
        },
        b,
      ],
      {},
      ["a.o calls second-copy"],
    ],
    [
      "whose table exists anew while init code has handed out the old one",
      [
        {
          ...handed,
          post: edit(HANDED, "static const int table[] = { 1, 2, 3 }", "static const int table[] = { 1, 2, 3, 4 }"),
          brought: ["look", "table"],
        },
      ],
      {},
      ["h.o table stale-pointer"],
    ],
    [
      "that leaves a pointer to an object that exists anew",
      [{ ...pointed, post: edit(POINTED, "{ 1, 2, 3 }", "{ 1, 2, 3, 4 }"), brought: ["look", "limits"] }],
      {},
      ["p.o chosen stale-pointer", "p.o limits wrong-address"],
    ],
    ["one of whose modules was not loaded", [a, b], { facts: { modules: [] } }, ["vmlinux ksplice_fix_vmlinux part-missing"]],
  ])("%s", (_, units, options, expected) => {
    expect(findings(units, options).sort()).toEqual(expected.sort());
  });

  it("and says so with names and addresses", () => {
    const { findings: found } = verify([a, b], { forgotten: ["user"] });
    expect(found.map(({ message }) => message.replace(/0x[0-9a-f]{16}/g, "ADDR"))).toEqual([
      "the update replaces it, and the core does not list it",
      "its patched code is at ADDR (user [ksplice_fix_vmlinux]), and user at ADDR (user) does not lead there",
      "user is ADDR (user [ksplice_fix_vmlinux]) here, and the running kernel has it at ADDR (user), which does not lead there",
    ]);
  });
});

describe("what is not applied cannot be verified", () => {
  it.each<[string, AppliedOptions, string]>([
    ["an update that is not loaded", { facts: { updates: [] } }, "update fix is not loaded into this kernel"],
    [
      "an update that was undone",
      { facts: { updates: [{ id: "fix", stage: "reversed", functions: [], writtenTargets: [] }] } },
      "update fix is reversed, not applied",
    ],
  ])("%s", (_, options, message) => {
    expect(() => verify([a, b], options)).toThrow(message);
  });
});
