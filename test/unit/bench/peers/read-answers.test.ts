import { describe, expect, it } from "vitest";
import { secondsOf } from "../../../../bench/peers/peer.js";
import { readCalls, readLoaded, readTransition } from "../../../../bench/peers/read-answers.js";

describe("what the calls took", () => {
  it("is the least of all rounds, by the call", () => {
    expect(readCalls("34 81500 80000 90210\n", 1000)).toEqual({ errno: 34, each: 80 });
  });

  it.each(["", "34", "34 12 Killed"])("is not made up of %j", (text) => {
    expect(() => readCalls(text, 1000)).toThrow("call-cost printed");
  });
});

const LOG = `[   12.000000] livepatch: enabling patch 'livepatch_other'
[   12.500001] livepatch: 'livepatch_peers_first': starting patching transition
[   12.600000] something else: patching complete
[   14.000251] livepatch: 'livepatch_peers_first': patching complete
`;

describe("a transition", () => {
  it("is read from the kernel's log, over the second's end", () => {
    expect(readTransition(LOG)).toBe(1_500_250_000);
  });

  it("that did not end is not read", () => {
    expect(() => readTransition(LOG.split("\n").slice(0, 3).join("\n"))).toThrow('does not say "patching complete"');
  });
});

it("modules are counted by how their names begin", () => {
  const modules = `ksplice_peers_first 12288 1 - Live 0x0000000000000000 (OE)
ksplice 77824 1 ksplice_peers_first, Live 0x0000000000000000 (OE)
dummy 12288 0 - Live 0x0000000000000000
`;
  expect(readLoaded(modules, "ksplice")).toBe(90_112);
  expect(readLoaded(modules, "livepatch")).toBe(0);
});

it("the shell's time and its children's are added up", () => {
  expect(secondsOf("0m0.010s 0m0.020s\n12m1.500s 1m0.250s\n")).toBeCloseTo(781.78, 5);
});
