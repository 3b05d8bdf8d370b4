import { FORMAT_VERSION, type Manifest, type ManifestUnit } from "../../src/update/file/manifest.js";
import { makeUpdate, type Update } from "../../src/update/file/update-file.js";

/** A unit of an update in which nothing changes. @param change what it has otherwise */
export function sampleUnit(path: string, change: Partial<ManifestUnit> = {}): ManifestUnit {
  return {
    path,
    pre: `pre/${path}`,
    post: `post/${path}`,
    functions: [],
    writes: [],
    imports: [],
    changed: [],
    new: [],
    removed: [],
    moved: [],
    left: [],
    added: [],
    data: [],
    hooks: [],
    ...change,
  };
}

/** An update with all its files, of one unit; what is in them is not looked at. @param change what its manifest has otherwise */
export function sampleUpdate(change: Partial<Manifest> = {}): Update {
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  const files = new Map([
    ["patch", text("--- a\n+++ b\n")],
    ["ksplice.ko", text("core")],
    ["new/vmlinux.ko", text("new code")],
    ["pre/net/ipv4/raw.o", text("pre")],
    ["post/net/ipv4/raw.o", text("post")],
    ["post/net/ipv4/same.o", text("post")],
  ]);
  const base: Omit<Manifest, "files"> = {
    format: FORMAT_VERSION,
    id: "abc123",
    description: "a fix",
    created: "2026-01-02T03:04:05Z",
    kernel: { release: "6.1.0-47-amd64", machine: "x86_64", compiler: "gcc-12" },
    after: [],
    cves: [],
    core: "ksplice.ko",
    targets: [
      {
        name: "vmlinux",
        module: "ksplice_abc123_vmlinux",
        file: "new/vmlinux.ko",
        exports: [],
        units: [sampleUnit("net/ipv4/raw.o")],
      },
    ],
    notes: [],
    layouts: [],
    checked: [{ path: "net/ipv4/same.o", target: "vmlinux", post: "post/net/ipv4/same.o" }],
  };
  const update = makeUpdate(base, files);
  return { ...update, manifest: { ...update.manifest, ...change } };
}
