import { expect, test } from "vitest";
import { STT_NOTYPE } from "../../../../src/elf/constants.js";
import { needsTypes } from "../../../../src/kbuild/whole/needs-types.js";
import { makeFunction, makeObject, makeSection } from "../../../support/elf-builder.js";

test.each<[what: string, names: readonly string[] | undefined, needs: boolean]>([
  ["no list of ids", undefined, false],
  [
    "the ids of a class of trace events",
    ["__BTF_ID__func____bpf_trace_ping__3", "__BTF_ID__struct__trace_event_raw_ping__4", "ids"],
    false,
  ],
  ["functions for BPF programs", ["__BTF_ID__set8__offered", "__BTF_ID__func__bpf_offered__7"], true],
  ["both", ["__BTF_ID__func____bpf_trace_ping__3", "__BTF_ID__func__bpf_offered__7"], true],
  ["ids that nothing names", ["ids"], true],
])("an object with %s: %#", (_, names, needs) => {
  const section = makeSection(".BTF_ids", [0, 0, 0, 0]);
  const text = makeSection(".text", [0xc3]);
  const symbols = (names ?? []).map((name) => makeFunction(name, section, { type: STT_NOTYPE }));
  expect(needsTypes(makeObject([text, ...(names === undefined ? [] : [section])], symbols))).toBe(needs);
});
