import { beforeEach, describe, expect, test } from "vitest";
import { join } from "node:path";
import { applyGuarded, undoNoted } from "../../../src/service/apply-guarded.js";
import { readConfig } from "../../../src/service/config.js";
import { installUpdate } from "../../../src/service/in-service.js";
import { startService } from "../../../src/service/start.js";
import { packUpdate } from "../../../src/update/file/update-file.js";
import { FakeMachine } from "../../support/fake-service.js";
import { sampleUpdate } from "../../support/sample-fit.js";
import { placeIn } from "../../support/store-samples.js";
import { temporaryDirectory, writeFiles } from "../../support/temp-dir.js";

const top = temporaryDirectory();
let count = 0;
let machine: FakeMachine;

beforeEach(() => {
  machine = new FakeMachine(join(top, `machine-${++count}`));
});

const config = (text: string): void => {
  writeFiles(machine.root, { "etc/ksplice/ksplice.conf": text });
};

test.each([
  ["", { wellAfter: 300, stopLimit: undefined }],
  ["well-after = 90s\nstop-limit = 1000\n", { wellAfter: 90, stopLimit: 1000 }],
  ["well-after = 1h", { wellAfter: 3600, stopLimit: undefined }],
])("settings: %j", async (text, settings) => {
  config(text);
  expect((await readConfig(placeIn(machine.root))).settings).toEqual(settings);
});

test.each([
  ["well-after = soon", /well-after is "soon", and not a time/],
  ["well-after = 9s", /well-after is "9s", and not a time/],
  ["well-after = 0", /well-after is "0"/],
  ["stop-limit = 0", /stop-limit is "0", and not a number of milliseconds from 1 to 10000/],
  ["stop-limit = 10ms", /stop-limit is "10ms"/],
  ["stop-limit = 10001", /stop-limit is "10001"/],
])("a setting that makes no sense is refused: %j", async (text, message) => {
  config(text);
  await expect(readConfig(placeIn(machine.root))).rejects.toMatchObject({
    code: "bad-config",
    message: expect.stringMatching(message) as string,
  });
});

describe("what is set", () => {
  const given = sampleUpdate({ targets: ["vmlinux"] });
  const limits = (): string[] => machine.system.done.filter((line) => line.startsWith("stop limit "));

  test("holds for what is applied at boot, by hand, and undone", async () => {
    config("well-after = 60s\nstop-limit = 1000\n");
    const incoming = { update: given, tarball: await packUpdate(given) };
    await installUpdate(machine.service, incoming, { partial: false, allowOlder: false, now: machine.time }, false);
    await startService(machine.service, { tries: 1, resume: false });
    expect(machine.later).toEqual(["ksplice-well: service well in 60 s"]);
    await undoNoted(machine.service, given.manifest.id, { tries: 1, tell: machine.service.tell });
    await applyGuarded(machine.service, given, {}, { partial: false, tries: 1, tell: machine.service.tell });
    expect(limits()).toEqual(Array.from({ length: 3 }, () => "stop limit 1000000 us"));
    expect(machine.later.at(-1)).toBe("ksplice-well: service well in 60 s");
  });

  test("comes behind what an option says", async () => {
    config("stop-limit = 1000\n");
    await applyGuarded(machine.service, given, {}, { partial: false, tries: 1, stopLimit: 20, tell: machine.service.tell });
    expect(limits()).toEqual(["stop limit 20000 us"]);
  });

  test("keeps nobody from undoing an update where it is spoilt", async () => {
    await applyGuarded(machine.service, given, {}, { partial: false, tries: 1, tell: machine.service.tell });
    config("well-after = soon\n");
    await undoNoted(machine.service, given.manifest.id, { tries: 1, tell: machine.service.tell });
    expect(machine.said).toContainEqual(expect.stringMatching(/well-after is "soon".*; the defaults are taken$/) as string);
  });
});
