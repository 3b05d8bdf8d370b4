import { chmodSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseConfig } from "../../../src/tree/kernel-config.js";
import { findToolchain } from "../../../src/tree/toolchain.js";
import { temporaryDirectory, writeFiles } from "../../support/temp-dir.js";

/** Compilers that say what they are, and no more. */
const COMPILERS: Readonly<Record<string, string>> = {
  gcc: "gcc (Debian 12.2.0-14) 12.2.0",
  "gcc-13": "gcc-13 (Debian 13.1.0-1) 13.1.0",
  clang: "Debian clang version 14.0.6",
  "clang-16": "Debian clang version 16.0.6 (15~deb12u1)",
};

const { PATH } = process.env;
beforeEach(() => {
  const directory = temporaryDirectory();
  writeFiles(
    directory,
    Object.fromEntries(Object.entries(COMPILERS).map(([name, says]) => [name, `#!/bin/sh\necho "${says}"\necho more\n`])),
  );
  for (const name of Object.keys(COMPILERS)) chmodSync(join(directory, name), 0o755);
  process.env["PATH"] = `${directory}:${PATH ?? ""}`;
});
afterEach(() => {
  process.env["PATH"] = PATH;
});

const CLANG = "CONFIG_CC_IS_CLANG=y\n";

test.each([
  ["gcc-12 (Debian 12.2.0-14) 12.2.0", "", "gcc"],
  ["x86_64-linux-gnu-gcc-13 (Debian 13.1.0-1) 13.1.0", "", "gcc-13"],
  ["Debian clang version 14.0.6", `${CLANG}CONFIG_CLANG_VERSION=140006\n`, "clang"],
  ["Debian clang version 16.0.6 (15~deb12u1)", `${CLANG}CONFIG_CLANG_VERSION=160006\n`, "clang-16"],
])("%s is found as it goes by here", async (text, further, program) => {
  const found = await findToolchain(parseConfig(`CONFIG_CC_VERSION_TEXT="${text}"\n${further}`));
  expect(found.program).toBe(program);
});

test.each([
  ["gcc-12 (Debian 12.2.0-99) 12.2.0", "", /built with gcc-12 \(Debian 12\.2\.0-99\) 12\.2\.0; here is .*12\.2\.0-14/],
  [
    "Debian clang version 15.0.6",
    `${CLANG}CONFIG_CLANG_VERSION=150006\n`,
    /built with Debian clang version 15\.0\.6; here is Debian clang version 14/,
  ],
])("%s is refused by name", async (text, further, words) => {
  const outcome: unknown = await findToolchain(parseConfig(`CONFIG_CC_VERSION_TEXT="${text}"\n${further}`)).catch(
    (error: unknown) => error,
  );
  expect(outcome).toMatchObject({ code: "other-compiler", message: expect.stringMatching(words) as unknown });
});
