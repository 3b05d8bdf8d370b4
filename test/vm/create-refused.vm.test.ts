import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { patchOfEdits, type Edit } from "../support/edited-patch.js";
import { runHost, type HostResult } from "../support/run-host.js";
import { RAW_FIX, testTree, Workshop, type TestTree } from "./support/trees.js";

/** What ksplice-create says to bad input, on a real tree: a clear error that names the thing, and no update. */

const workshop = new Workshop();
let tree: TestTree;
let rawPatch: string;

beforeAll(async () => {
  tree = await testTree("6.1");
  rawPatch = patchOfEdits(tree.path, RAW_FIX);
});
afterAll(() => {
  workshop.end();
});

async function create(patch: string | undefined, options: string[] = [], source = tree.path): Promise<HostResult> {
  const file = join(workshop.dir, "input.patch");
  if (patch !== undefined) writeFileSync(file, patch);
  const output = join(workshop.dir, "out.tar.gz");
  const result = await runHost("create", [...(patch === undefined ? [] : [`--patch=${file}`]), `--output=${output}`, ...options, source]);
  if (result.exitCode !== 0) expect(existsSync(output)).toBe(false);
  expect(result.stderr).not.toContain("internal error");
  return result;
}

const edits = (...list: Edit[]): string => patchOfEdits(tree.path, list);

/** Objects of this type are allocated in a slab cache of their size. */
const biggerItems = (): string =>
  edits(
    { file: "fs/eventpoll.c", at: /\tstruct epoll_event event;\n(?=\};)/, to: "$&\tunsigned long ksplice_added;\n" },
    {
      file: "fs/eventpoll.c",
      at: /\nstatic int ep_remove\(struct eventpoll \*ep, struct epitem \*epi\)\n\{/,
      to: "$&\n\tepi->ksplice_added = 1;",
    },
  );

/** A configuration directory like the tree's, with one file other. */
function configWith(name: string, file: string, change: (text: string) => string): string {
  const dir = workshop.folder(name);
  for (const part of [
    ".config",
    "build/Module.symvers",
    "build/include/generated/utsrelease.h",
    "build/include/config/auto.conf",
    "build/include/generated/compile.h",
  ]) {
    const from = join(tree.path, "ksplice", part);
    if (!existsSync(from)) continue;
    mkdirSync(join(dir, part, ".."), { recursive: true });
    const text = readFileSync(from, "latin1");
    writeFileSync(join(dir, part), part === file ? change(text) : text, "latin1");
  }
  return dir;
}

describe("ksplice-create refuses", () => {
  it.each<[string, () => Promise<HostResult>, number, string[]]>([
    ["a patch that is not there", () => create(undefined, ["--patch=/nonexistent.patch"]), 1, ["/nonexistent.patch"]],
    ["an empty patch", () => create(""), 1, ["empty"]],
    ["text that is no patch", () => create("hello\n"), 1, ["input.patch"]],
    ["neither patch nor diffext", () => create(undefined), 2, ["exactly one of"]],
    ["an id that is none", () => create(rawPatch, ["--id=../x"]), 1, ["../x"]],
    [
      "a patch that does not apply, naming the hunk",
      () => create(rawPatch.replaceAll("iphlen", "iphlength")),
      1,
      ["net/ipv4/raw.c", "unk #1"],
    ],
    [
      "a patch with a path that leaves the tree",
      () => create(rawPatch.replaceAll("net/ipv4/raw.c", "../../etc/passwd")),
      1,
      ["etc/passwd"],
    ],
    [
      "a patch for a file that is not compiled",
      () => create(edits({ file: "arch/arm64/kernel/setup.c", at: /\n#include <linux\/acpi\.h>/, to: "$&\nint ksplice_x;" })),
      66,
      ["arch/arm64"],
    ],
    [
      "a patch of an assembly source",
      () => create(edits({ file: "arch/x86/lib/memcpy_64.S", at: /\n#include <asm\/errno\.h>/, to: "$&\n/* x */" })),
      1,
      ["memcpy_64.S"],
    ],
    ["a directory that is no kernel tree", () => create(rawPatch, [], workshop.dir), 1, [workshop.dir]],
    ["a configuration directory that is not there", () => create(rawPatch, ["--config=/nonexistent"]), 1, ["/nonexistent"]],
    [
      "source of another version than the kernel's",
      () =>
        create(rawPatch, [
          `--config=${configWith("version", ".config", (text) => text.replace(/^# Linux\/x86 .*$/m, "# Linux/x86 6.1.1 Kernel Configuration"))}`,
        ]),
      1,
      ["6.1.1", "6.1."],
    ],
    [
      "another compiler, naming both",
      () =>
        create(rawPatch, [
          `--config=${configWith("compiler", ".config", (text) => text.replace(/^CONFIG_CC_VERSION_TEXT=.*$/m, 'CONFIG_CC_VERSION_TEXT="gcc-11 (Debian 11.3.0-12) 11.3.0"'))}`,
        ]),
      1,
      ["gcc-11"],
    ],
    [
      "code that does not compile, in the compiler's own words",
      () => create(edits({ file: "net/ipv4/raw.c", at: /err = -EINVAL;(?=\s*if \(iphlen > length)/, to: "err = no_such_thing;" })),
      1,
      ["net/ipv4/raw.c", "no_such_thing", "undeclared"],
    ],
    [
      "a changed initial value",
      () => create(edits({ file: "kernel/panic.c", at: /int panic_timeout = CONFIG_PANIC_TIMEOUT;/, to: "int panic_timeout = 77;" })),
      1,
      ["panic_timeout"],
    ],
    [
      "a member that is added to a struct, with both layouts",
      () => create(biggerItems()),
      1,
      ["struct epitem", "fs/eventpoll.c:", "it grows from", "bytes in all"],
    ],
    [
      "a layout that is allowed and does not change",
      () => create(biggerItems(), ["--allow-layout=struct eventpool"]),
      2,
      ["struct eventpool", "struct epitem"],
    ],
  ])("%s", async (_, run, status, words) => {
    const result = await run();
    expect(result, result.stderr).toMatchObject({ exitCode: status });
    for (const word of words) expect(result.stderr).toContain(word);
  });

  it("a patch that changes no object code: status 66", async () => {
    const result = await create(
      edits({ file: "net/ipv4/raw.c", at: /err = -EINVAL;(?=\s*if \(iphlen > length)/, to: "/* a comment\n\t * of two lines */\n\t$&" }),
      ["--raw-errors"],
    );
    expect(result).toMatchObject({ exitCode: 66 });
    expect(result.stderr).toMatch(/^OTHER\n/);
    expect(result.stderr).toContain("net/ipv4/raw.o: the same code before and after");
  });
});

describe("ksplice-create", () => {
  it("lets a changed layout through that is allowed, and says what that vouches for", async () => {
    const result = await create(biggerItems(), ["--allow-layout=struct epitem"]);
    expect(result, result.stderr).toMatchObject({ exitCode: 0 });
    expect(result.stderr).toContain("struct epitem is allowed: it grows from");
    expect(result.stderr).toContain("no object of this type may be alive");
  });

  it("makes the same bytes of the same input", async () => {
    const env = { ...process.env, SOURCE_DATE_EPOCH: "1700000000" };
    const file = join(workshop.dir, "same.patch");
    writeFileSync(file, rawPatch);
    const outputs = [join(workshop.dir, "one.tar.gz"), join(workshop.dir, "two.tar.gz")];
    for (const output of outputs) {
      const result = await runHost("create", [`--patch=${file}`, "--id=same", `--output=${output}`, tree.path], { env });
      expect(result, result.stderr).toMatchObject({ exitCode: 0 });
    }
    const [one, two] = outputs.map((output) => readFileSync(output));
    expect(one?.equals(two ?? Buffer.alloc(0))).toBe(true);
  });

  it("writes nothing into the tree", async () => {
    const before = readFileSync(join(tree.path, "net/ipv4/raw.c"));
    await create(rawPatch);
    expect(readFileSync(join(tree.path, "net/ipv4/raw.c")).equals(before)).toBe(true);
    for (const leftover of [".config", "include/config", "net/ipv4/raw.o", "net/ipv4/raw.c.orig"])
      expect(existsSync(join(tree.path, leftover))).toBe(false);
  });
});
