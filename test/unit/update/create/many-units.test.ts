import { collect } from "../../../support/collect-events.js";
import { describe, expect, test } from "vitest";
import { estimateOf, sayWhenInterrupted } from "../../../../src/update/create/many-units.js";

describe("how long many units take", () => {
  test.each([
    [29, 1, undefined],
    [30, 2, "30 objects may use what changes; about 1 minute, less what is in the cache (--most-units sets a limit)"],
    [3254, 2, "3254 objects may use what changes; about 81 minutes, less what is in the cache (--most-units sets a limit)"],
  ])("%i units, %i at once", (units, jobs, expected) => {
    expect(estimateOf(units, jobs)).toBe(expected);
  });
});

test("who is interrupted is told what is done, and who is not, nothing", () => {
  const said: string[] = [];
  const say = (interruption: AbortController): (() => void) =>
    sayWhenInterrupted(interruption.signal, () => 7, 40, collect(said, "warning"));
  const [during, afterwards] = [new AbortController(), new AbortController()];
  say(during);
  during.abort();
  say(afterwards)();
  afterwards.abort();
  expect(said).toEqual(["interrupted: 7 of 40 objects are compiled and stay in the cache; the same command goes on from there"]);
});
