import { describe, expect, test } from "vitest";
import { unitKey } from "../../../../../src/kbuild/types.js";
import { findOldUsers } from "../../../../../src/update/create/callbacks/old-users.js";
import { settle, type Sides } from "../../../../support/settle-units.js";

const callbacks = [{ label: "struct ops", member: "show" }];

/** What speaks against a proof in the unit, of which it is known that it uses the struct; or is not. */
async function whatSpeaks(
  sides: Sides,
  options: { readonly busy?: readonly string[]; readonly mentions?: boolean; readonly targets?: boolean } = {},
) {
  const { linkage, parts, diffs } = await settle({ unit: sides }, { allowedBusy: options.busy ?? [] });
  const units = new Set(options.mentions === false ? [] : diffs.map(({ unit }) => unitKey(unit)));
  const proof = { callbacks, breaks: [], functions: new Set<string>(), units };
  return findOldUsers(proof, diffs, linkage, options.targets === false ? [] : parts).map(({ place, why }) => `${place}: ${why}`);
}

const CALLER = "struct ops { int (*show)(int); }; int f(struct ops *ops) { return ops->show(1); }";
const CALLER_FIXED = "struct ops { int (*show)(int, int); }; int f(struct ops *ops) { return ops->show(1, 2); }";
const REMOVED =
  "struct timer { void (*run)(void); }; void go(void); static void tick(void) { go(); } void g(struct timer *t) { t->run = tick; }";
const INIT = (body: string): string =>
  `int outside(int); __attribute__((section(".init.text"))) int start(void) { return outside(${body}); }`;
const HOOK =
  'void hook(void); void (*ksplice_hook)(void) __attribute__((used, section(".ksplice_hooks.pre_apply"))) = hook; void hook(void) { }';

describe("old code that may use a callback in the old way:", () => {
  test("none where all of it is replaced", async () => {
    expect(await whatSpeaks({ pre: CALLER, post: CALLER_FIXED })).toEqual([]);
  });

  test.each<[string, Sides, Parameters<typeof whatSpeaks>[1], string]>([
    [
      "a removed function that may be called",
      { pre: `${CALLER} ${REMOVED}`, post: `${CALLER_FIXED} ${REMOVED.replaceAll("tick;", "0;").replace(/static void tick.*?\}/, "")}` },
      {},
      "tick is removed",
    ],
    ["code in which threads may stay", { pre: CALLER, post: CALLER_FIXED }, { busy: ["f"] }, "old code of f"],
    [
      "a unit whose target is not in the update",
      { pre: CALLER, post: CALLER_FIXED },
      { targets: false },
      "not all of that is in the update",
    ],
    ["initialization code", { pre: INIT("1"), post: INIT("2") }, {}, "not all of that is in the update"],
    ["a hook, in whatever unit", { pre: CALLER, post: `${CALLER_FIXED} ${HOOK}` }, { mentions: false }, "it has hooks"],
  ])("%s", async (_, sides, options, expected) => {
    expect((await whatSpeaks(sides, options)).join("\n")).toContain(expected);
  });

  test("what does not know the struct does not count", async () => {
    expect(await whatSpeaks({ pre: CALLER, post: CALLER_FIXED }, { mentions: false, busy: ["f"], targets: false })).toEqual([]);
  });
});
