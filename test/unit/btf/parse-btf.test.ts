import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BtfFormatError } from "../../../src/btf/btf-format-error.js";
import type { Btf } from "../../../src/btf/btf.js";
import { compareTypes } from "../../../src/btf/compare-types.js";
import { layoutOf, spellMember } from "../../../src/btf/layout.js";
import { findNamedTypes, namedTypes } from "../../../src/btf/named-types.js";
import { parseBtf } from "../../../src/btf/parse-btf.js";
import { compileBtfBytes, HAS_PAHOLE } from "../../support/compile-types.js";
import { BtfBuilder } from "../../support/btf-builder.js";

const SOURCE = `
enum color { RED, GREEN = 5, BLUE = -1 };
enum large { HUGE = 0x100000000ULL };
union either { int a; long b; };
struct hidden;
struct foo {
	struct list_head list;
	const char *name;
	unsigned int dead:1, dirty:2;
	enum color color;
	union { u32 word; u8 bytes[4]; };
	struct { int x; int y; } point;
	int (*open)(struct hidden *, int);
	volatile u16 state;
	u64 table[3][2];
	const struct hidden *const hidden;
	union either either[2];
	double real;
};
struct foo *use(struct foo *foo, enum large large) { return foo->dead ? 0 : foo; }
`;

const suite = HAS_PAHOLE ? describe : describe.skip;

suite("BTF of a compiled source", () => {
  const bytes = compileBtfBytes(SOURCE);
  const btf = parseBtf(bytes, "unit");

  function layout(label: string): string[] {
    const [type] = findNamedTypes(btf, label);
    if (type === undefined) throw new Error(label);
    return layoutOf(btf, type.id).members.map(
      (member) => `${String(member.bitOffset)}+${String(member.bitSize)} ${spellMember(btf, member)}`,
    );
  }

  it("members, those of nameless structs and unions in the place of these", () => {
    expect(layout("struct foo")).toEqual([
      "0+128 struct list_head list",
      "128+64 const char *name",
      "192+1 unsigned int dead:1",
      "193+2 unsigned int dirty:2",
      "224+32 enum color color",
      "256+32 u32 word",
      "256+32 u8 bytes[4]",
      "288+32 int point.x",
      "320+32 int point.y",
      "384+64 int (*open)()",
      "448+16 volatile u16 state",
      "512+384 u64 table[6]",
      "896+64 const struct hidden *const hidden",
      "960+128 union either either[2]",
      "1088+64 double real",
    ]);
  });

  it("enums, negative and large values included", () => {
    const [color, large] = ["enum color", "enum large"].map((label) => findNamedTypes(btf, label)[0]?.id ?? 0);
    expect(btf.enumerators(color ?? 0)).toEqual([
      { name: "RED", value: 0n },
      { name: "GREEN", value: 5n },
      { name: "BLUE", value: -1n },
    ]);
    expect(btf.enumerators(large ?? 0)).toEqual([{ name: "HUGE", value: 0x100000000n }]);
  });

  it("only types that are defined have a label", () => {
    const labels = [...namedTypes(btf).keys()];
    expect(labels).toEqual(expect.arrayContaining(["struct foo", "union either", "enum color", "struct list_head"]));
    expect(labels).not.toContain("struct hidden");
  });

  it("whatever is done to the bytes, it is read or refused by name", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.nat(bytes.length),
        (changes, length) => {
          const broken = Uint8Array.from(bytes);
          for (const [at, value] of changes) broken[at] = value;
          for (const input of [broken, broken.subarray(0, length)]) {
            try {
              const parsed = parseBtf(input, "hostile");
              compareTypes(parsed, btf);
              compareTypes(btf, parsed);
            } catch (error) {
              expect(error).toBeInstanceOf(BtfFormatError);
              expect((error as Error).message).toMatch(/^hostile: /);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("BTF that is built by hand", () => {
  it("a module's types count on top of the kernel's", () => {
    const base = new BtfBuilder();
    const int = base.int("int", 4);
    base.struct("shared", 4, [{ name: "a", type: int, bitOffset: 0 }]);
    const vmlinux = parseBtf(base.bytes(), "vmlinux");
    const split = new BtfBuilder(vmlinux);
    const own = split.struct("own", 8, [
      { name: "a", type: int, bitOffset: 0 },
      { name: "b", type: int, bitOffset: 32 },
    ]);
    split.typedef("own_t", own);
    const module = parseBtf(split.bytes(), "module", vmlinux);
    expect(module.firstId).toBe(vmlinux.endId);
    expect(findNamedTypes(module, "struct shared")).toHaveLength(1);
    expect([...namedTypes(module).keys()]).toEqual(["struct own"]);
    expect(layoutOf(module, own).members.map((member) => spellMember(module, member))).toEqual(["int a", "int b"]);
  });

  it("bit-fields of the older kind have their size in the integer", () => {
    const builder = new BtfBuilder();
    const bits = builder.int("unsigned int", 4, 3);
    const id = builder.struct("foo", 4, [{ name: "mode", type: bits, bitOffset: 5 }]);
    const btf = parseBtf(builder.bytes(), "old");
    expect(layoutOf(btf, id).members).toMatchObject([{ name: "mode", bitOffset: 5, bitSize: 3, isBitfield: true }]);
  });

  const built = (build: (builder: BtfBuilder) => void): Btf => {
    const builder = new BtfBuilder();
    build(builder);
    return parseBtf(builder.bytes(), "hostile");
  };
  it.each<[string, () => unknown, RegExp]>([
    ["nothing", () => parseBtf(new Uint8Array(0), "hostile"), /too short/],
    ["no BTF", () => parseBtf(new Uint8Array(64), "hostile"), /not BTF/],
    ["a name outside the strings", () => built((builder) => builder.raw(0x1000, 1, 0, 4, [32])), /outside the strings/],
    ["a reference to no type", () => built((builder) => builder.raw(0, 2, 0, 77)), /type 77 is referred to/],
    ["an unknown kind", () => built((builder) => builder.raw(0, 31, 0, 0)), /kind 31/],
    ["a truncated type", () => built((builder) => builder.raw(0, 4, 3, 0, [0, 0, 0])), /type 1 is truncated/],
    [
      "a typedef of itself",
      () => compareWithItself(built((builder) => builder.struct("foo", 4, [{ name: "a", type: builder.typedef("t", 1), bitOffset: 0 }]))),
      /of itself/,
    ],
    [
      "a nameless struct that holds itself",
      () =>
        compareWithItself(
          built((builder) => {
            builder.struct("foo", 4, [{ name: "", type: 2, bitOffset: 0 }]);
            builder.struct("", 4, [{ name: "", type: 2, bitOffset: 0 }]);
          }),
        ),
      /of itself/,
    ],
    [
      "nameless structs that double each time",
      () =>
        compareWithItself(
          built((builder) => {
            for (let id = 1; id <= 40; id++)
              builder.struct(id === 1 ? "foo" : "", 4, [
                { name: "", type: id === 40 ? 0 : id + 1, bitOffset: 0 },
                { name: "", type: id === 40 ? 0 : id + 1, bitOffset: 0 },
              ]);
          }),
        ),
      /too many members/,
    ],
    [
      "an array larger than can be counted",
      () =>
        compareWithItself(
          built((builder) => {
            const int = builder.int("int", 4);
            const row = builder.array(int, 0xffffffff);
            builder.struct("foo", 4, [{ name: "a", type: builder.array(row, 0xffffffff), bitOffset: 0 }]);
          }),
        ),
      /implausibly large/,
    ],
  ])("refuses %s", (_, read, message) => {
    expect(read).toThrow(BtfFormatError);
    expect(read).toThrow(message);
  });
});

function compareWithItself(btf: Btf): unknown {
  return compareTypes(btf, btf);
}
