import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { tellNobody } from "../../../src/events.js";
import { applyGuarded } from "../../../src/service/apply-guarded.js";
import { installUpdate } from "../../../src/service/in-service.js";
import { startService } from "../../../src/service/start.js";
import { hasSignature } from "../../../src/signing/module-signature.js";
import { keySigner, type ModuleSigner } from "../../../src/signing/module-signer.js";
import { packUpdate } from "../../../src/update/file/update-file.js";
import { FakeMachine } from "../../support/fake-service.js";
import { sampleUpdate } from "../../support/sample-fit.js";
import { makeSigningKey } from "../../support/signing-key.js";
import { temporaryDirectory, writeFiles } from "../../support/temp-dir.js";

/** What `/etc/ksplice/ksplice.conf` has modules signed with, at boot and by hand. */

const dir = temporaryDirectory();
let machine: FakeMachine;
/** Of the modules that were loaded: whether they were signed. */
let loaded: boolean[];
let count = 0;

beforeAll(() => {
  makeSigningKey(dir, "module");
});

beforeEach(() => {
  machine = new FakeMachine(join(dir, `machine-${count++}`), { policy: { wantsSignature: "it says so" } });
  loaded = [];
  const { engine } = machine.system;
  const load = engine.loadModule.bind(engine);
  engine.loadModule = async (object, name) => {
    loaded.push(hasSignature(object));
    await load(object, name);
  };
});

function configure(lines: string): void {
  writeFiles(machine.root, { "etc/ksplice/ksplice.conf": lines });
}

const KEY = "module-key = /etc/ksplice/module.key\nmodule-certificate = /etc/ksplice/module.pem\n";

function copyKey(): void {
  for (const name of ["module.key", "module.pem"])
    writeFiles(machine.root, { [`etc/ksplice/${name}`]: readFileSync(join(dir, name), "utf8") });
}

async function apply(signer?: ModuleSigner): Promise<void> {
  const update = sampleUpdate({ targets: ["vmlinux"] });
  await applyGuarded(machine.service, update, {}, { partial: false, tries: 1, tell: tellNobody, signer });
}

describe("modules are signed", () => {
  test("with the machine's key, at boot", async () => {
    configure(KEY);
    copyKey();
    const update = sampleUpdate({ targets: ["vmlinux"] });
    const given = { update, tarball: await packUpdate(update) };
    await installUpdate(machine.service, given, { partial: false, allowOlder: false, now: machine.time }, false);
    const { outcomes } = await startService(machine.service, { tries: 1, resume: false });
    expect(outcomes).toEqual([{ id: "fix", state: "applied" }]);
    expect(loaded).toEqual([true, true]);
  });

  test("by the machine's signer", async () => {
    configure(
      `module-signer = openssl cms -sign -binary -noattr -nocerts -outform DER -signer '${dir}/module.pem' -inkey '${dir}/module.key'\n`,
    );
    await apply();
    expect(loaded).toEqual([true, true]);
  });

  test("by what the command says, before what the machine says", async () => {
    configure("module-signer = false\n");
    const key = { key: join(dir, "module.key"), certificate: join(dir, "module.pem") };
    await apply(keySigner(key));
    expect(loaded).toEqual([true, true]);
  });
});

describe("nothing is loaded", () => {
  test("where the machine says nothing of a key", async () => {
    await expect(apply()).rejects.toMatchObject({ code: "signature-required" });
    expect([loaded, machine.events.at(-1)?.code]).toEqual([[], "signature-required"]);
  });

  test("where others may have put the key there", async () => {
    configure(KEY);
    copyKey();
    chmodSync(machine.path("etc/ksplice/module.key"), 0o666);
    await expect(apply()).rejects.toMatchObject({ code: "untrusted-path" });
    expect(loaded).toEqual([]);
  });

  test("where the signer fails", async () => {
    configure("module-signer = echo nobody is at home >&2; false\n");
    await expect(apply()).rejects.toMatchObject({ code: "cannot-sign", message: expect.stringContaining("nobody is at home") as string });
    expect(loaded).toEqual([]);
  });
});
