import { expect, it } from "vitest";
import { findBuiltIn } from "../../../../src/distro/external/read-module.js";

it.each([
  ["the directory of its files", ["/build/x/a.c", "/build/x/lib/b.c"], "/build/x"],
  ["of a file's name that is another's end, the shorter", ["/build/x/lib/a.c"], "/build/x"],
  ["nothing where the names are relative, as since Linux 6.13", ["lib/a.c"], undefined],
  ["nothing where it was put together in two places", ["/one/b.c", "/two/a.c"], undefined],
  ["nothing of files that are not its own", ["/usr/src/linux/include/linux/mm.h"], undefined],
])("a module tells %s", (_, texts, found) => {
  const bytes = Buffer.from(`\0${texts.join("\0")}\0`, "latin1");
  expect(findBuiltIn(bytes, ["a.c", "b.c", "lib/a.c", "lib/b.c"])).toBe(found);
});
