import { defaultCacheDir } from "../../src/host/cache-dir.js";
import { tellNobody } from "../../src/events.js";
import { afterAll, describe, expect, it } from "vitest";
import { rehearseUpdate } from "../../src/rehearse/rehearse-update.js";
import { type Rehearsal } from "../../src/rehearse/rehearsal.js";
import { openUpdate } from "../../src/update/file/update-file.js";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Edit } from "../support/edited-patch.js";
import { I2C_FIX, RAW_FIX, testTree, Workshop } from "./support/trees.js";

/** Real fixes and small changes, each with its effect seen before, after and once undone. */

const workshop = new Workshop();
afterAll(() => {
  workshop.end();
});

const RAW_ERROR: readonly Edit[] = [{ file: "net/ipv4/raw.c", at: /err = -EINVAL;(?=\s*if \(iphlen > length)/, to: "err = -EDOM;" }];

async function rehearse(tree: string, update: string, probe: string, modules: string[] = []): Promise<Rehearsal> {
  const consoleLog = join(workshop.dir, "console.log");
  return await rehearseUpdate(await openUpdate(update), {
    tree,
    probe,
    modules,
    expose: [workshop.dir],
    consoleLog,
    cacheDir: defaultCacheDir(process.env),
    directory: process.cwd(),
    tell: tellNobody,
  });
}

function outputs(result: Rehearsal): (string | undefined)[] {
  return [result.probes?.before, result.probes?.applied, result.probes?.undone].map((probe) => probe?.stdout);
}

/** Prints what each of two probes says. */
const both = (one: string, other: string): string => `${one}; ${other}`;
const i2cTimeout = async (): Promise<string> => `${await workshop.probe("i2c-timeout")} /dev/i2c-0`;
const I2C_STUB = ["i2c-stub chip_addr=0x10"];

describe("on the oldest 6.1 kernel of the archive", () => {
  it("Debian's fixes of net/ipv4/raw.c, built in, and drivers/i2c/i2c-dev.c, a module, in one update", async () => {
    const tree = await testTree("6.1");
    const update = await workshop.createOfEdits(tree.path, "fixes", [...RAW_FIX, ...I2C_FIX]);
    const result = await rehearse(tree.path, update, both(await workshop.probe("raw-hdrincl"), await i2cTimeout()), I2C_STUB);
    expect(outputs(result)).toEqual(["accepted\naccepted", "EINVAL\nEINVAL", "accepted\naccepted"]);
    expect(result).toMatchObject({
      ok: true,
      viewed: ["fixes"],
      problems: [],
      leftovers: [],
      functions: [
        { target: "i2c_dev", name: "i2cdev_ioctl" },
        { target: "vmlinux", name: "raw_sendmsg" },
      ],
      verification: { findings: [] },
    });
    expect(result.matching.skippedBytes).toBe(0);
  });
});

describe("on Debian 13's kernel, with the compiler that built it", () => {
  it("another error number in net/ipv4/raw.c, built in, matched whole and verified", async () => {
    const tree = await testTree("6.12", "trixie");
    expect(tree.release).toMatch(/\+deb13-amd64$/);
    const update = await workshop.createOfEdits(tree.path, "raw13", RAW_ERROR);
    const result = await rehearse(tree.path, update, await workshop.probe("raw-hdrincl"));
    expect(outputs(result)).toEqual(["EINVAL", "EDOM", "EINVAL"]);
    expect(result).toMatchObject({ ok: true, problems: [], leftovers: [], verification: { findings: [] } });
    expect(result.matching.skippedBytes).toBe(0);
  });
});

describe("on the newest 6.12 kernel for Debian 12", () => {
  /** A size that no kernel takes, and a thread made for good: with a wrong limit of user addresses it would not start. */
  const CLONE3 = [
    "import ctypes, errno, threading",
    "libc = ctypes.CDLL(None, use_errno=True)",
    "libc.syscall(435, ctypes.create_string_buffer(16384), 12345)",
    "print(errno.errorcode[ctypes.get_errno()])",
    "thread = threading.Thread(target=print, args=('thread',)); thread.start(); thread.join()",
  ];

  it("clone3 in kernel/fork.c, whose code holds constants that the kernel sets at boot, and another limit in a module", async () => {
    const tree = await testTree("6.12");
    const update = await workshop.createOfEdits(tree.path, "fixes612", [
      {
        file: "kernel/fork.c",
        at: /err = copy_clone_args_from_user\(&kargs, uargs, size\);/,
        to: "if (size == 12345)\n\t\treturn -EDOM;\n\n\t$&",
      },
      { file: "drivers/i2c/i2c-dev.c", at: /(case I2C_TIMEOUT:)/, to: "$1\n\t\tif (arg == INT_MAX)\n\t\t\treturn -ERANGE;" },
    ]);
    const probe = join(workshop.dir, "clone3.py");
    writeFileSync(probe, `${CLONE3.join("\n")}\n`);
    const result = await rehearse(tree.path, update, both(`python3 ${probe}`, await i2cTimeout()), I2C_STUB);
    const [before, applied, undone] = outputs(result);
    expect(before).toMatch(/^E2BIG\nthread\n/);
    expect(applied).toBe("EDOM\nthread\nERANGE");
    expect(undone).toBe(before);
    expect(result).toMatchObject({ ok: true, problems: [], leftovers: [] });
  });
});
