import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { tellNobody } from "../../../src/events.js";
import { packageRoot } from "../../../src/host/package-root.js";
import { applyGuarded, undoNoted } from "../../../src/service/apply-guarded.js";
import { armConfirm } from "../../../src/service/confirm.js";
import { forgetMarks } from "../../../src/service/guard/settle.js";
import { installUpdate, removeUpdate } from "../../../src/service/in-service.js";
import { readOsRelease } from "../../../src/service/machine-facts.js";
import { startService } from "../../../src/service/start.js";
import { openVex } from "../../../src/service/status/open-vex.js";
import { prometheusText } from "../../../src/service/status/prometheus.js";
import { publishStatus } from "../../../src/service/status/publish.js";
import { readStatus } from "../../../src/service/status/read-status.js";
import { spellStatus, statusLine } from "../../../src/service/status/spell-status.js";
import { STATUS_EXIT, statusJsonSchema, statusSchema, type Status } from "../../../src/service/status/status-schema.js";
import { packUpdate } from "../../../src/update/file/update-file.js";
import { coversPackage, openVexSchema } from "../../support/open-vex-reader.js";
import { FakeMachine } from "../../support/fake-service.js";
import { sampleUpdate, type SampleOptions } from "../../support/sample-fit.js";
import { temporaryDirectory, writeFiles } from "../../support/temp-dir.js";

const top = temporaryDirectory();
let count = 0;
let machine: FakeMachine;
let release: string;

beforeEach(() => {
  machine = new FakeMachine(join(top, `machine-${++count}`));
  ({ release } = machine.system.identity());
  writeFiles(machine.root, {
    "proc/kallsyms": "x",
    "proc/kcore": "x",
    "proc/sys/kernel/version": "#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-3 (2026-05-08)\n",
  });
});

async function install(manifest: SampleOptions["manifest"] = {}, targets: SampleOptions["targets"] = ["vmlinux"]): Promise<void> {
  const update = sampleUpdate({ manifest, targets });
  await installUpdate(
    machine.service,
    { update, tarball: await packUpdate(update) },
    { partial: false, allowOlder: false, now: machine.time },
    false,
  );
}

async function start(): Promise<void> {
  await startService(machine.service, { tries: 1, resume: false });
}

/** As it is printed, so that nothing is in it that the schema does not have. */
async function status(): Promise<Status> {
  return statusSchema.strict().parse(JSON.parse(JSON.stringify(await readStatus(machine.service))));
}

const states = ({ state, updates }: Status): string => [state, ...updates.map(({ id, state: each }) => `${id} ${each}`)].join(", ");

describe("the state of a machine", () => {
  test("is in order with nothing in service, and with all of it applied", async () => {
    expect(states(await status())).toBe("in-order");
    await install({ cves: ["CVE-2026-1234"] });
    await start();
    expect(await status()).toMatchObject({
      state: "in-order",
      reasons: [],
      kernel: { release, effective: `${release}+ksplice.1`, package: "6.1.170-3" },
      updates: [
        { id: "fix", state: "applied", inService: true, cves: ["CVE-2026-1234"], stopNs: 1234, applied: "2026-11-27T01:02:03.000Z" },
      ],
    });
  });

  test("says what is not applied, and why", async () => {
    await install();
    expect(states(await status())).toBe("not-applied, fix not-applied");
    await install({ id: "mod" }, ["vmlinux", "mod"]);
    await start();
    const now = await status();
    expect([states(now), now.reasons]).toEqual(["not-applied, fix applied, mod waiting", ["mod is not applied: it waits for mod"]]);
    await forgetMarks(machine.service, release);
    machine.boot("ksplice.disable");
    await start();
    const { reasons, disabledBy } = await status();
    expect([reasons[0], disabledBy]).toEqual([
      "all updates are kept out, by ksplice.disable on the kernel's command line",
      "ksplice.disable on the kernel's command line",
    ]);
  });

  test("is a failure where an apply failed, or a crash left something out", async () => {
    await install();
    machine.boot("", { answers: ["no_match", "done"] });
    await start();
    expect(states(await status())).toBe("failed, fix failed");
    await start();
    expect(states(await status())).toBe("in-order, fix applied");
    machine.boot();
    await start();
    const now = await status();
    expect([states(now), now.reasons[0]]).toEqual([
      "failed, fix failed",
      "fix was not applied: the machine went down soon after it was applied, at 2026-11-27 01:02 UTC",
    ]);
  });

  test("is that of an undo by hand, until the next boot", async () => {
    await install();
    await start();
    await undoNoted(machine.service, "fix", { tries: 1, tell: tellNobody });
    expect(states(await status())).toBe("not-applied, fix undone");
  });

  test("is that of an undo by hand when a module has come since, whatever had failed before", async () => {
    machine.boot("", { answers: ["no_match", "done", "done"] });
    await install();
    await start();
    expect(states(await status())).toBe("failed, fix failed");
    await start();
    await undoNoted(machine.service, "fix", { tries: 1, tell: tellNobody });
    machine.passes(1);
    await startService(machine.service, { tries: 1, resume: true });
    expect(states(await status())).toBe("not-applied, fix undone");
  });

  test("is a failure where an apply failed since the undo by hand", async () => {
    machine.boot("", { answers: ["done", "done", "no_match"] });
    await install();
    await start();
    await undoNoted(machine.service, "fix", { tries: 1, tell: tellNobody });
    expect(states(await status())).toBe("not-applied, fix undone");
    machine.passes(1);
    await start();
    const now = await status();
    expect(states(now)).toBe("failed, fix failed");
    expect(now.reasons[0]).toMatch(/^fix was not applied: (?!it was undone by hand)/);
  });

  test("needs a reboot where what an undone update has left in memory is in the way; what failed for another reason is graver", async () => {
    await install();
    machine.system.hold("fix", { stage: "resident", parts: [] });
    await start();
    const now = await status();
    expect(states(now)).toBe("reboot-needed, fix failed");
    expect(now.reasons).toEqual(["fix: code of an update fix that was undone is still in memory, and it is not what this one would load"]);
    expect(statusLine(now)).toContain("a REBOOT is needed (fix: code of an update fix that was undone");
    await removeUpdate(machine.service, release, "fix", undefined);
    expect((await status()).state).toBe("in-order");
    await install();
    await install({ id: "other" });
    machine.boot("", { answers: ["no_match"] });
    machine.system.hold("fix", { stage: "resident", parts: [] });
    await start();
    const both = await status();
    expect([states(both), both.reasons.length]).toEqual(["failed, fix failed, other failed", 2]);
  });

  test("needs a reboot where the kernel does not let go what is out of service", async () => {
    machine.boot("", { answers: ["done", "code_busy"] });
    await install();
    await start();
    await removeUpdate(machine.service, release, "fix", { tries: 1, tell: tellNobody });
    const now = await status();
    expect([states(now), now.reasons[0]]).toEqual([
      "reboot-needed, fix applied",
      expect.stringMatching(/^fix is out of service and still in the kernel: update fix was not undone/),
    ]);
  });

  test.each<[string, Record<string, string>]>([
    ["this is a container (lxc), and has no kernel of its own", { "run/systemd/container": "lxc" }],
    ["the kernel is locked down (confidentiality)", { "sys/kernel/security/lockdown": "none integrity [confidentiality]\n" }],
    ["the kernel has no /proc/kcore", { "proc/kcore": "" }],
    ["the kernel takes no modules any more (kernel.modules_disabled)", { "proc/sys/kernel/modules_disabled": "1\n" }],
  ])("is that it cannot be patched: %s", async (reason, files) => {
    for (const [path, text] of Object.entries(files)) if (text === "") rmSync(machine.path(path));
    writeFiles(machine.root, Object.fromEntries(Object.entries(files).filter(([, text]) => text !== "")));
    machine.system.loadedModules = () => {
      throw new Error("there is no such list");
    };
    expect(await status()).toMatchObject({ state: "unsupported-kernel", reasons: [reason] });
  });

  test("knows what was applied by hand, what waits for a confirmation, and what the newest amounts to", async () => {
    await install({ id: "a", effective: "6.1.171-1" });
    await install({ id: "b" });
    await start();
    await armConfirm(machine.service, "hand", 60, undefined);
    const update = sampleUpdate({ manifest: { id: "hand", effective: "6.1.176-1" }, targets: ["vmlinux"] });
    await applyGuarded(machine.service, update, {}, { partial: false, tries: 1, tell: tellNobody });
    const now = await status();
    expect(states(now)).toBe("in-order, a applied, b applied, hand applied");
    expect(now.kernel.effective).toBe("6.1.176-1");
    expect(now.updates.at(-1)).toMatchObject({ inService: false });
    await undoNoted(machine.service, "hand", { tries: 1, tell: tellNobody });
    expect((await status()).kernel.effective).toBe("6.1.171-1");
  });

  test("has an exit status for each, apart from those that all commands have", () => {
    const values = Object.values(STATUS_EXIT);
    expect(new Set(values).size).toBe(values.length);
    for (const value of [1, 2, 66, 70]) expect(values).not.toContain(value);
  });
});

test("the schema that others read is the one that is used", async () => {
  await expect(`${JSON.stringify(statusJsonSchema(), undefined, 2)}\n`).toMatchFileSnapshot(join(packageRoot(), "docs/status.schema.json"));
});

const UPDATE = { description: "net: a fix — of something", inService: true, needs: [], cves: [] };
const STATUS: Status = {
  version: 1,
  time: "2026-11-27T01:02:03Z",
  kernel: { release: "6.1.0-47-amd64", effective: "6.1.176-1", machine: "x86_64", package: "6.1.170-3" },
  state: "not-applied",
  reasons: ["b is not applied: it waits for nf_tables"],
  updates: [
    { ...UPDATE, id: "a", state: "applied", cves: ["CVE-2026-1", "CVE-2026-2"], stopNs: 1_500_000 },
    { ...UPDATE, id: "b", state: "waiting", reason: "it waits for nf_tables", cves: ["CVE-2026-2"] },
    { ...UPDATE, id: "c", state: "undone", inService: false, cves: ["CVE-2026-3", "CVE-2026-1"] },
    { ...UPDATE, id: "d", state: "applied", inService: false, confirmWithin: 42 },
  ],
  otherReleases: ["6.12.1"],
};

describe("a status", () => {
  test("for people", () => {
    expect(spellStatus(STATUS)).toBe(`6.1.0-47-amd64, effectively 6.1.176-1: updates in service are NOT APPLIED
  b is not applied: it waits for nf_tables
a applied: net: a fix [CVE-2026-1, CVE-2026-2]
b waiting: net: a fix [CVE-2026-2]
c undone (not in service): net: a fix [CVE-2026-3, CVE-2026-1]
d applied (not in service; undone in 42 s unless confirmed): net: a fix
in service for other kernels: 6.12.1
`);
  });

  test("in one line, or none where nobody needs to know", () => {
    expect(statusLine(STATUS)).toBe(
      "Kernel 6.1.0-47-amd64: updates in service are NOT APPLIED (b is not applied: it waits for nf_tables); see ksplice status; to be confirmed: d.",
    );
    const [first] = STATUS.updates;
    const fine = { ...STATUS, state: "in-order", reasons: [], updates: first === undefined ? [] : [first] } satisfies Status;
    expect(statusLine(fine)).toBe("Kernel 6.1.0-47-amd64 has 1 live update, effectively 6.1.176-1.");
    expect(statusLine({ ...fine, updates: [] })).toBe("");
  });

  test("for Prometheus", () => {
    const text = prometheusText({ ...STATUS, kernel: { ...STATUS.kernel, release: 'odd"\\\n' } });
    expect(text.split("\n").filter((line) => !line.startsWith("#"))).toEqual([
      'ksplice_kernel_info{release="odd\\"\\\\\\n",effective="6.1.176-1"} 1',
      'ksplice_state{state="in-order"} 0',
      'ksplice_state{state="not-applied"} 1',
      'ksplice_state{state="failed"} 0',
      'ksplice_state{state="reboot-needed"} 0',
      'ksplice_state{state="unsupported-kernel"} 0',
      "ksplice_updates_applied 2",
      "ksplice_updates_in_service 2",
      'ksplice_update_applied{id="a",state="applied"} 1',
      'ksplice_update_applied{id="b",state="waiting"} 0',
      'ksplice_update_applied{id="c",state="undone"} 0',
      'ksplice_update_applied{id="d",state="applied"} 1',
      'ksplice_update_stop_seconds{id="a"} 0.0015',
      "",
    ]);
    // Each metric has its head before it, once.
    for (const name of new Set([...text.matchAll(/^(ksplice_\w+)/gm)].map(([, each]) => each ?? "")))
      expect(text.split(`# TYPE ${name} gauge`).length, name).toBe(2);
  });

  test("as OpenVEX: fixed, affected where an update in service is missing or one was undone", () => {
    const product = "pkg:deb/debian/linux-image-6.1.0-47-amd64@6.1.170-3?arch=amd64";
    const document = openVexSchema.parse(openVex(STATUS, { id: "debian" }));
    expect(document).toMatchObject({ "@context": "https://openvex.dev/ns/v0.2.0", version: 1, timestamp: STATUS.time });
    expect(document.statements).toEqual([
      about("CVE-2026-1", product, { status: "fixed", status_notes: "in the running kernel, by ksplice: a" }),
      about("CVE-2026-2", product, { status: "affected", action_statement: "apply b with ksplice, or boot a kernel that has the fix" }),
      about("CVE-2026-3", product, { status: "affected", action_statement: "apply c with ksplice, or boot a kernel that has the fix" }),
    ]);
    const id = (value: unknown): unknown => (value as Record<string, unknown>)["@id"];
    expect(id(openVex({ ...STATUS, time: "later" }, { id: "debian" }))).toBe(id(document));
    expect(id(openVex({ ...STATUS, updates: [] }, { id: "debian" }))).not.toBe(id(document));
  });
});

test.each([
  ["trivy", "pkg:deb/debian/linux-image-6.1.0-47-amd64@6.1.170-3?arch=amd64&distro=debian-12.11"],
  [
    "syft and grype",
    "pkg:deb/debian/linux-image-6.1.0-47-amd64@6.1.170-3?arch=amd64&distro=debian-12&upstream=linux-signed-amd64%406.1.170%2B3",
  ],
])("the product is what %s calls the package", (_, scanned) => {
  const { statements } = openVexSchema.parse(openVex(STATUS, { id: "debian" }));
  const products = statements.flatMap((statement) => statement.products.map((product) => product["@id"]));
  expect(new Set(products).size).toBe(1);
  expect(coversPackage(products[0] ?? "", scanned)).toBe(true);
  expect(coversPackage(products[0] ?? "", scanned.replace("6.1.170-3", "6.1.176-1"))).toBe(false);
  expect(coversPackage(products[0] ?? "", scanned.replace("-47-", "-48-"))).toBe(false);
});

function about(name: string, product: string, rest: object): object {
  return { vulnerability: { name }, products: [{ "@id": product }], ...rest };
}

test("what a system is called", () => {
  const root = temporaryDirectory();
  expect(readOsRelease(root)).toEqual({ id: "linux" });
  writeFiles(root, { "etc/os-release": 'VERSION_ID="12"\nID=debian\nHOME_URL="x"\n' });
  expect(readOsRelease(root)).toEqual({ id: "debian" });
});

test("changes are published: a message of the day, and the figures where they are asked for", async () => {
  const motd = machine.path("run/motd.d/ksplice");
  await publishStatus(machine.service);
  expect(existsSync(motd)).toBe(false);
  await install();
  writeFiles(machine.root, { "etc/ksplice/ksplice.conf": "prometheus = /var/lib/node/ksplice.prom\n" });
  await publishStatus(machine.service);
  expect(readFileSync(motd, "utf8")).toBe(
    `Kernel ${release}: updates in service are NOT APPLIED (fix is not applied); see ksplice status.\n`,
  );
  expect(readFileSync(machine.path("var/lib/node/ksplice.prom"), "utf8")).toContain('ksplice_state{state="not-applied"} 1\n');
  writeFiles(machine.root, { "etc/ksplice/ksplice.conf": "prometeus = /x\n" });
  await publishStatus(machine.service);
  expect(machine.said.at(-1)).toMatch(/^the status could not be published: .*ksplice.conf:1: there is no "prometeus"/);
});
