import {
  chmodSync,
  chownSync,
  readdirSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { UpdateStore } from "../../../src/service/store/update-store.js";
import { incoming, placeIn } from "../../support/store-samples.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

const top = temporaryDirectory();
const RELEASE = "6.1.0-47-amd64";
const NOW = new Date("2026-11-27T01:02:03Z");
const OPTIONS = { partial: false, allowOlder: false, now: NOW };
let count = 0;
let root: string;
let store: UpdateStore;
let dir: string;

beforeEach(() => {
  root = join(top, `root-${++count}`);
  mkdirSync(root);
  store = new UpdateStore(placeIn(root));
  dir = join(root, "var/lib/ksplice", RELEASE);
});

const ids = async (release = RELEASE): Promise<string[]> => (await store.list(release)).map(({ id }) => id);

describe("the store", () => {
  test("is empty before anything is in it", async () => {
    expect([await store.releases(), await ids()]).toEqual([[], []]);
  });

  test("keeps an update, what it is for and what it fixes, for root alone", async () => {
    const given = await incoming("one", { cves: ["CVE-2026-1234"] });
    expect(await store.install(given, OPTIONS)).toMatchObject({ kind: "new", entry: { id: "one", cves: ["CVE-2026-1234"], needs: [] } });
    expect((statSync(dir).mode & 0o777).toString(8)).toBe("700");
    expect(readdirSync(dir)).toEqual(["index.json", expect.stringMatching(/^one-[0-9a-f]{16}\.tar\.gz$/)]);
    for (const file of readdirSync(dir)) expect((statSync(join(dir, file)).mode & 0o777).toString(8)).toBe("600");
    const [entry] = await store.list(RELEASE);
    expect((await store.open(RELEASE, entry ?? expect.fail())).update).toEqual(given.update);
  });

  test("keeps the order in which they came, for several kernels side by side", async () => {
    const other = { release: "6.12.1", machine: "x86_64" as const, compiler: "gcc-12" };
    for (const id of ["b", "a"]) await store.install(await incoming(id), OPTIONS);
    await store.install(await incoming("a", { kernel: other }), OPTIONS);
    expect([await store.releases(), await ids(), await ids("6.12.1")]).toEqual([[RELEASE, "6.12.1"], ["b", "a"], ["a"]]);
    expect(await store.releaseOf("b")).toBe(RELEASE);
    await expect(store.releaseOf("a")).rejects.toMatchObject({ code: "several-releases" });
    expect(await store.releaseOf("a", "6.12.1")).toBe("6.12.1");
  });

  test("takes the same again for the same, and another of that id in its place", async () => {
    await store.install(await incoming("one"), OPTIONS);
    await store.install(await incoming("two"), OPTIONS);
    expect(await store.install(await incoming("one"), OPTIONS)).toMatchObject({ kind: "same" });
    const newer = { description: "better", created: "2026-02-02T03:04:05Z" };
    expect(await store.install(await incoming("one", newer), OPTIONS)).toMatchObject({ kind: "replaced" });
    expect((await store.list(RELEASE)).map(({ id, description }) => `${id} ${description}`)).toEqual(["one better", "two a fix"]);
    expect(readdirSync(dir).length).toBe(3);
  });

  test("two at once are both in it", async () => {
    await Promise.all(["one", "two", "three"].map(async (id) => await store.install(await incoming(id), OPTIONS)));
    expect((await ids()).sort()).toEqual(["one", "three", "two"]);
  });
});

describe("an update that was made after another", () => {
  test("is not taken without that one, which stays as long as it does", async () => {
    const second = await incoming("second", { after: ["first"] });
    await expect(store.install(second, OPTIONS)).rejects.toMatchObject({ code: "needs-missing" });
    await store.install(await incoming("first"), OPTIONS);
    await store.install(second, OPTIONS);
    await expect(store.remove(RELEASE, "first")).rejects.toMatchObject({
      code: "needed-by",
      message: "update first stays in the store: second was made after it",
    });
    const other = await incoming("first", { description: "another", created: "2026-02-02T03:04:05Z" });
    await expect(store.install(other, OPTIONS)).rejects.toMatchObject({ code: "needed-by" });
    await store.remove(RELEASE, "second");
    await store.remove(RELEASE, "first");
    expect(await ids()).toEqual([]);
    expect(readdirSync(dir)).toEqual(["index.json"]);
  });

  test("and of one that stands behind it", async () => {
    await store.install(await incoming("second"), OPTIONS);
    await store.install(await incoming("first"), OPTIONS);
    const changed = await incoming("second", { after: ["first"], created: "2026-02-02T03:04:05Z" });
    await expect(store.install(changed, OPTIONS)).rejects.toMatchObject({ code: "needs-missing" });
  });
});

test("an old update is not taken in place of a newer one of its id, also once that is gone", async () => {
  await store.install(await incoming("one", { created: "2026-05-01T00:00:00Z" }), OPTIONS);
  const old = await incoming("one", { created: "2026-04-01T00:00:00Z" });
  await expect(store.install(old, OPTIONS)).rejects.toMatchObject({ code: "older-update" });
  await store.remove(RELEASE, "one");
  await expect(store.install(old, OPTIONS)).rejects.toMatchObject({ code: "older-update" });
  expect(await store.install(old, { ...OPTIONS, allowOlder: true })).toMatchObject({ kind: "new" });
  // And that did not make it forget the newer one.
  await store.remove(RELEASE, "one");
  await expect(store.install(old, OPTIONS)).rejects.toMatchObject({ code: "older-update" });
});

test("a release that leads out of the store is refused", async () => {
  for (const release of ["../6.1", "a/b", "..", ""]) {
    const given = await incoming("one");
    const update = { ...given.update, manifest: { ...given.update.manifest, kernel: { ...given.update.manifest.kernel, release } } };
    await expect(store.install({ ...given, update }, OPTIONS)).rejects.toMatchObject({ code: "bad-release" });
  }
});

describe("nothing is taken out of a store that", () => {
  beforeEach(async () => {
    await store.install(await incoming("one"), OPTIONS);
  });

  const open = async (): Promise<unknown> => {
    const [entry] = await store.list(RELEASE);
    return await store.open(RELEASE, entry ?? expect.fail());
  };
  const tarball = (): string => join(dir, readdirSync(dir).find((name) => name.startsWith("one-")) ?? "");

  test.each<[string, string, () => void]>([
    [
      "others may write to",
      "untrusted-path",
      () => {
        chmodSync(dir, 0o777);
      },
    ],
    [
      "has a file that others may write to",
      "untrusted-path",
      () => {
        chmodSync(tarball(), 0o662);
      },
    ],
    [
      "has a sticky file that others may write to",
      "untrusted-path",
      () => {
        chmodSync(tarball(), 0o1662);
      },
    ],
    [
      "has a file by a link",
      "untrusted-path",
      () => {
        link(tarball());
      },
    ],
    [
      "is a link",
      "untrusted-path",
      () => {
        renameSync(join(root, "var/lib/ksplice"), join(root, "moved"));
        symlinkSync(join(root, "moved"), join(root, "var/lib/ksplice"));
      },
    ],
    [
      "has another file than was installed",
      "damaged-store",
      () => {
        writeFileSync(tarball(), "other");
      },
    ],
    [
      "has no valid index",
      "damaged-store",
      () => {
        writeFileSync(join(dir, "index.json"), "{");
      },
    ],
    [
      "has an index of a later format",
      "damaged-store",
      () => {
        writeFileSync(join(dir, "index.json"), '{"format": 2}');
      },
    ],
    [
      "has another kernel's index",
      "damaged-store",
      () => {
        edit(join(dir, "index.json"), RELEASE, "6.1.1");
      },
    ],
    [
      "has an index with an id that is a path",
      "damaged-store",
      () => {
        edit(join(dir, "index.json"), '"id": "one"', '"id": "../x"');
      },
    ],
  ])("%s", async (_, code, spoil) => {
    spoil();
    await expect(open()).rejects.toMatchObject({ code });
  });

  test.skipIf(process.geteuid?.() !== 0)("belongs to somebody else", async () => {
    chownSync(tarball(), 12345, 0);
    await expect(open()).rejects.toMatchObject({
      code: "untrusted-path",
      message: `${tarball()} is not to be trusted: it belongs to user 12345`,
    });
  });
});

function edit(path: string, from: string, to: string): void {
  writeFileSync(path, readFileSync(path, "utf8").replaceAll(from, to));
}

function link(path: string): void {
  const bytes = readFileSync(path);
  rmSync(path);
  writeFileSync(join(root, "elsewhere"), bytes, { mode: 0o600 });
  symlinkSync(join(root, "elsewhere"), path);
}
