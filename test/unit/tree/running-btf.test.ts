import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { findImageBtf } from "../../../src/tree/image/image-btf.js";
import { readRunningBtf } from "../../../src/tree/running-btf.js";
import { writeObject } from "../../../src/elf/write-object.js";
import { BtfBuilder } from "../../support/btf-builder.js";
import { makeObject, makeSection } from "../../support/elf-builder.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

function someBtf(name: string): Uint8Array {
  const builder = new BtfBuilder();
  builder.int(name, 4);
  return builder.bytes();
}
const withBtf = (btf: Uint8Array): Uint8Array => writeObject(makeObject([makeSection(".BTF", btf)], []));

describe("the types in an image", () => {
  const btf = someBtf("a_long_name");
  test("are a section", () => {
    expect(findImageBtf(withBtf(btf))).toEqual(btf);
    expect(findImageBtf(writeObject(makeObject([makeSection(".data", [1])], [])))).toBeUndefined();
  });

  test("are the largest bytes of that shape where there are no section headers", () => {
    const small = someBtf("x");
    const parts = [Buffer.alloc(77, 1), small, Buffer.alloc(5), btf, Buffer.from(btf.subarray(0, 30)), small];
    expect(Uint8Array.from(findImageBtf(Buffer.concat(parts)) ?? [])).toEqual(btf);
    expect(findImageBtf(Buffer.alloc(1000, 7))).toBeUndefined();
  });
});

describe("the running kernel's types", () => {
  const top = temporaryDirectory();
  const cacheDir = join(top, "cache");
  const write = (path: string, bytes: Uint8Array): void => {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), bytes);
  };
  const read = async (tree: string, target: string) => {
    const file = await readRunningBtf({ configDir: join(top, tree), release: "6.1.0-1-amd64", cacheDir }, target);
    return file === undefined ? undefined : Uint8Array.from(file.bytes);
  };

  /** A bzImage as far as it is looked at: a setup part of one sector, and the packed kernel. */
  function bzImage(vmlinux: Uint8Array): Uint8Array {
    const payload = gzipSync(vmlinux);
    const image = Buffer.alloc(1024 + payload.length);
    image.writeUInt8(1, 0x1f1);
    image.write("HdrS", 0x202);
    image.writeUInt32LE(0, 0x248);
    image.writeUInt32LE(payload.length, 0x24c);
    payload.copy(image, 1024);
    return image;
  }

  test("come from the configuration directory, as /sys/kernel/btf has them", async () => {
    write("given/btf/vmlinux", someBtf("v"));
    write("given/btf/i2c_dev", someBtf("m"));
    expect(await read("given", "vmlinux")).toEqual(someBtf("v"));
    expect(await read("given", "i2c_dev")).toEqual(someBtf("m"));
    expect(await read("given", "other")).toBeUndefined();
  });

  test("else out of the image, once, and out of modules, packed or not", async () => {
    const modules = "image/image/lib/modules/6.1.0-1-amd64/kernel/drivers";
    write("image/image/boot/vmlinuz-6.1.0-1-amd64", bzImage(withBtf(someBtf("v"))));
    write(`${modules}/plain.ko`, withBtf(someBtf("p")));
    write(`${modules}/i2c-dev.ko`, withBtf(someBtf("m")));
    execFileSync("xz", [join(top, modules, "i2c-dev.ko")]);
    for (let time = 0; time < 2; time++) expect(await read("image", "vmlinux")).toEqual(someBtf("v"));
    expect(readdirSync(join(cacheDir, "btf"))).toHaveLength(1);
    expect(await read("image", "plain")).toEqual(someBtf("p"));
    expect(await read("image", "i2c_dev")).toEqual(someBtf("m"));
  });

  test("may be nowhere", async () => {
    mkdirSync(join(top, "none"));
    expect(await read("none", "vmlinux")).toBeUndefined();
    expect(await read("none", "i2c_dev")).toBeUndefined();
  });
});
