import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { machineFacts } from "../../../src/service/machine-facts.js";
import { systemLater } from "../../../src/service/later.js";
import { placeIn } from "../../support/store-samples.js";
import { temporaryDirectory, writeFiles } from "../../support/temp-dir.js";

const dir = temporaryDirectory();
const path = process.env["PATH"] ?? "";

afterEach(() => {
  process.env["PATH"] = path;
});

/** A machine with a systemd that writes down what it is asked for. */
function underSystemd(status: number): { start: ReturnType<typeof systemLater>["start"]; asked: () => string[] } {
  const log = join(dir, "asked");
  const note = (name: string): string =>
    `#!/bin/sh\necho "${name} $*" >>${log}\necho sorry >&2\nexit ${name === "systemctl" ? 0 : status}\n`;
  writeFiles(dir, {
    "bin/systemctl": note("systemctl"),
    "bin/systemd-run": note("systemd-run"),
    "root/run/systemd/system/x": "",
    asked: "",
  });
  for (const name of ["systemctl", "systemd-run"]) chmodSync(join(dir, "bin", name), 0o755);
  process.env["PATH"] = `${join(dir, "bin")}:${path}`;
  const later = systemLater(machineFacts(placeIn(join(dir, "root"))), ["/node", "/ksplice.js"]);
  return { start: later.start.bind(later), asked: () => readFileSync(log, "utf8").trim().split("\n") };
}

test("what is to be done after a while is a timer, which does not wait for sysinit.target: at boot that waits for the unit that asks", async () => {
  const { start, asked } = underSystemd(0);
  await start("ksplice-well", ["service", "well"], 300);
  expect(asked()).toEqual([
    "systemctl stop ksplice-well.timer ksplice-well.service",
    "systemd-run --quiet --collect --unit=ksplice-well --on-active=300s --timer-property=AccuracySec=1s --timer-property=DefaultDependencies=no --timer-property=Conflicts=shutdown.target --timer-property=Before=shutdown.target -- /node /ksplice.js service well",
  ]);
});

test("what is to be done at once runs before anything else is done", async () => {
  const { start, asked } = underSystemd(0);
  await start("ksplice-confirm-a", ["service", "watch", "a"], 0);
  expect(asked()[1]).toBe(
    "systemd-run --quiet --collect --unit=ksplice-confirm-a --property=Restart=on-failure --property=RestartSec=1 -- /node /ksplice.js service watch a",
  );
});

test("systemd's own words are passed on", async () => {
  await expect(underSystemd(1).start("ksplice-well", [], 1)).rejects.toMatchObject({
    code: "cannot-start-later",
    message: "ksplice-well could not be started: sorry",
  });
});
