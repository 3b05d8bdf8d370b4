import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkTools } from "../../../src/kbuild/check-toolchain.js";

/** What kbuild needs besides the compiler. */

const TOOLS = ["make", "gcc", "python3", "flex", "bison", "bc", "perl", "patch", "ld"];
const path = process.env["PATH"];
let bin: string;

beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), "ksplice-test-tools-"));
  await symlink("/bin/sh", join(bin, "sh"));
  for (const tool of TOOLS) await writeFile(join(bin, tool), "#!/bin/sh\n", { mode: 0o755 });
  process.env["PATH"] = bin;
});

afterEach(async () => {
  process.env["PATH"] = path;
  await rm(bin, { recursive: true });
});

const toolchain = { root: undefined, program: "gcc", version: "gcc 1" };

it("is content where all programs are there", async () => {
  await expect(checkTools(toolchain, new Map())).resolves.toBeUndefined();
});

it("names all that is missing at once, with the packages", async () => {
  await rm(join(bin, "bison"));
  await rm(join(bin, "ld"));
  const check = checkTools(toolchain, new Map([["DEBUG_INFO_BTF", "y"]]));
  await expect(check).rejects.toMatchObject({
    code: "missing-tools",
    message: "needed to compile kernel code and not installed: bison, ld, pahole",
    hint: "apt-get install bison binutils dwarves",
  });
});

it("does not take a file for a program that may not be run", async () => {
  await rm(join(bin, "bc"));
  await writeFile(join(bin, "bc"), "");
  await expect(checkTools(toolchain, new Map())).rejects.toMatchObject({ message: "needed to compile kernel code and not installed: bc" });
});

it("asks the compiler for headers, where the configuration needs them", async () => {
  await writeFile(join(bin, "gcc"), '#!/bin/sh\nread -r line; [ "$line" != "#include <gelf.h>" ]\n', { mode: 0o755 });
  await expect(checkTools(toolchain, new Map())).resolves.toBeUndefined();
  const config = new Map([
    ["OBJTOOL", "y"],
    ["MODULE_SIG_FORMAT", "y"],
  ]);
  await expect(checkTools(toolchain, config)).rejects.toMatchObject({ hint: "apt-get install libelf-dev" });
});
