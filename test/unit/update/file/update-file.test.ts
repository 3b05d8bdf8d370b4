import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import tar, { type Header } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Refusal } from "../../../../src/diagnostics.js";
import type { ManifestUnit, ManifestWrite } from "../../../../src/update/file/manifest.js";
import { openUpdate, packUpdate, type Update } from "../../../../src/update/file/update-file.js";
import { sampleUpdate } from "../../../support/sample-update.js";

type Entry = Partial<Header> & Pick<Header, "name">;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ksplice-update-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

const WRITE: ManifestWrite = {
  name: "limits",
  preSymbol: "limits",
  offset: 0,
  size: 16,
  newSymbol: "new:net/ipv4/raw.o:limits",
  newOffset: 0,
  isConstant: true,
};

/** The sample with something else in its one unit. */
function sampleWith(change: Partial<ManifestUnit>): Update {
  return sampleUpdate({
    targets: sampleUpdate().manifest.targets.map((target) => ({ ...target, units: target.units.map((unit) => ({ ...unit, ...change })) })),
  });
}

async function save(bytes: Uint8Array): Promise<string> {
  const path = join(dir, "update.tar.gz");
  writeFileSync(path, bytes);
  return await Promise.resolve(path);
}

async function refusalOf(path: string): Promise<Refusal> {
  const error: unknown = await openUpdate(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Refusal);
  return error as Refusal;
}

/** A tarball made of raw entries, for what packUpdate would never write. */
async function tarball(entries: readonly (Entry & { content?: string })[]): Promise<Uint8Array> {
  const pack = tar.pack();
  for (const { content, ...header } of entries) pack.entry(header, content ?? "");
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks));
}

describe("an update", () => {
  it("is read back as it was packed", async () => {
    const update = sampleUpdate();
    const read = await openUpdate(await save(await packUpdate(update)));
    expect(read.manifest).toEqual(update.manifest);
    expect([...read.files.keys()].sort()).toEqual([...update.files.keys()].sort());
  });

  it("may overwrite data and bring hooks, and change no function", async () => {
    const hooks = [{ kind: "check_apply" as const, name: "is_idle", sourceLine: { file: "net/ipv4/raw.c", line: 7 } }];
    const update = sampleWith({ writes: [WRITE], data: [{ name: "limits", how: "rewritten" }], hooks });
    expect((await openUpdate(await save(await packUpdate(update)))).manifest).toEqual(update.manifest);
  });

  it("is packed to the same bytes each time", async () => {
    expect(await packUpdate(sampleUpdate())).toEqual(await packUpdate(sampleUpdate()));
  });

  it("is read from its unpacked tree too", async () => {
    const update = sampleUpdate();
    for (const [path, bytes] of [...update.files, ["update.json", new TextEncoder().encode(JSON.stringify(update.manifest))] as const]) {
      mkdirSync(dirname(join(dir, "tree", path)), { recursive: true });
      writeFileSync(join(dir, "tree", path), bytes);
    }
    expect((await openUpdate(join(dir, "tree"))).manifest.id).toBe("abc123");
    symlinkSync("/etc/passwd", join(dir, "tree", "link"));
    expect((await refusalOf(join(dir, "tree"))).message).toContain("link is not a plain file");
  });
});

it("a note of a kind that only a later release knows is read all the same; what is no word is not", async () => {
  const saved = async (kind: string): Promise<string> =>
    await save(await packUpdate(sampleUpdate({ notes: [{ kind, function: "f", file: "a.c", line: 1, message: "look" }] })));
  expect((await openUpdate(await saved("later-kind"))).manifest.notes).toMatchObject([{ kind: "later-kind", message: "look" }]);
  await expect(saved("\u001b[2J").then(openUpdate)).rejects.toMatchObject({ code: "bad-update" });
});

describe("hostile or damaged input is refused", () => {
  const file = (name: string, content = "x"): Entry & { content: string } => ({ name, type: "file", content });

  it.each<[string, () => Uint8Array | Promise<Uint8Array>, string]>([
    ["an empty file", () => new Uint8Array(0), "it is empty"],
    ["text", () => new TextEncoder().encode("hello"), "truncated or corrupted"],
    ["an archive of nothing", () => tarball([]), "empty archive"],
    ["a path upwards", () => tarball([file("ksplice-abc123/../../etc/cron.d/x")]), "a path that leaves its folder"],
    ["an absolute path", () => tarball([file("/etc/cron.d/x")]), "a path that leaves its folder"],
    [
      "a symbolic link",
      () => tarball([{ name: "ksplice-abc123/patch", type: "symlink", linkname: "/etc/shadow" }]),
      "is a symlink, not a plain file",
    ],
    [
      "a hard link",
      () => tarball([{ name: "ksplice-abc123/patch", type: "link", linkname: "/etc/shadow" }]),
      "is a link, not a plain file",
    ],
    [
      "a device",
      () => tarball([{ name: "ksplice-abc123/sda", type: "block-device", devmajor: 8, devminor: 0 }]),
      "is a block-device, not a plain file",
    ],
    ["two folders", () => tarball([file("ksplice-a/x"), file("ksplice-b/x")]), "two top folders"],
    ["another folder", () => tarball([file("update/x")]), "does not lie in a folder ksplice-ID"],
    ["a file twice", () => tarball([file("ksplice-a/x"), file("ksplice-a/x")]), "x twice"],
    ["no manifest", () => tarball([file("ksplice-a/x")]), "it has no update.json"],
    ["a manifest that is no JSON", () => tarball([file("ksplice-a/update.json", "{")]), "is no JSON"],
    [
      "a later format",
      () => tarball([file("ksplice-a/update.json", '{"format": 7}')]),
      "its format version is 7; this program reads version 6",
    ],
    ["a manifest without a format", () => tarball([file("ksplice-a/update.json", "{}")]), "format"],
    [
      "a file that is not listed",
      async () =>
        packUpdate({ manifest: sampleUpdate().manifest, files: new Map([...sampleUpdate().files, ["extra", new Uint8Array(1)]]) }),
      "extra is not listed",
    ],
    [
      "a file that is missing",
      async () =>
        packUpdate({ manifest: sampleUpdate().manifest, files: new Map([...sampleUpdate().files].filter(([path]) => path !== "patch")) }),
      "patch is missing",
    ],
    [
      "another content",
      async () =>
        packUpdate({ manifest: sampleUpdate().manifest, files: new Map([...sampleUpdate().files, ["patch", new Uint8Array(3)]]) }),
      "patch is not what update.json says: wrong SHA-256",
    ],
    ["an id with a path", async () => packUpdate(sampleUpdate({ id: "../x" })), "ksplice-"],
    [
      "a module that is not ours",
      async () => packUpdate(sampleUpdate({ targets: sampleUpdate().manifest.targets.map((target) => ({ ...target, module: "ext4" })) })),
      "module",
    ],
    ["a write of nothing", async () => packUpdate(sampleWith({ writes: [{ ...WRITE, size: 0 }] })), "writes[0].size"],
    ["a write before its object", async () => packUpdate(sampleWith({ writes: [{ ...WRITE, offset: -8 }] })), "writes[0].offset"],
    [
      "a hook of no known kind",
      async () => packUpdate(sampleWith({ hooks: [{ kind: "sometime" as "apply", name: "is_idle" }] })),
      "hooks[0].kind",
    ],
    [
      "a post object that is not there",
      async () => packUpdate(sampleWith({ post: "post/other.o" })),
      "names post/other.o, which is not there",
    ],
    [
      "a checked unit without its object",
      async () => packUpdate(sampleUpdate({ checked: [{ path: "net/a.o", target: "vmlinux", post: "post/net/a.o" }] })),
      "names post/net/a.o, which is not there",
    ],
    ["a core that is not there", async () => packUpdate(sampleUpdate({ core: "other.ko" })), "names other.ko, which is not there"],
  ])("%s", async (_, make, message) => {
    const refusal = await refusalOf(await save(await make()));
    expect(refusal.code).toBe("bad-update");
    expect(refusal.message).toContain(message);
    expect(refusal.message).toContain(dir);
  });

  it("a file that does not exist", async () => {
    expect((await refusalOf(join(dir, "nothing.tar.gz"))).message).toContain("no such file");
  });

  it("cut anywhere, or with any byte of the archive changed, it is never accepted as something else", async () => {
    const good = await packUpdate(sampleUpdate());
    const plain = gunzipSync(good);
    const expected = [...sampleUpdate().files].sort();
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), async (length) => {
        expect((await refusalOf(await save(good.slice(0, length)))).code).toBe("bad-update");
      }),
      { numRuns: 60, seed: 20260101 },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(plain.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Uint8Array.from(plain, (value, index) => (index === at ? value ^ flip : value));
        const result = await openUpdate(await save(gzipSync(changed))).catch((error: unknown) => error);
        // Padding, a header field that is not used, or the manifest's own words may differ (gzip's CRC guards those); the code may not.
        if (result instanceof Error) expect(result).toBeInstanceOf(Refusal);
        else expect([...(result as Update).files].sort()).toEqual(expected);
      }),
      { numRuns: 300, seed: 20260102 },
    );
  });
});
