import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { join } from "node:path";
import type { Round } from "../../bench/apply-undo-rounds.js";
import { packageRoot } from "../../src/host/package-root.js";
import { bootGuest, type Guest } from "../vm/support/guest.js";
import { RAW_FIX, testTree, Workshop } from "../vm/support/trees.js";

/** Applied and undone again and again while the guest is busy with the very code and with everything else. */

/** At least ten, which fill caches. */
const ROUNDS = Number(process.env["KSPLICE_TEST_ROUNDS"] ?? 100);

/** System calls, files, processes, and the network: the patched function among it. */
function loads(probe: string): string[] {
  return [
    `while :; do ${probe} >/dev/null; done`,
    "while :; do dd if=/dev/zero of=/tmp/load bs=4k count=200 2>/dev/null; sync; rm -f /tmp/load; done",
    "while :; do ls -R /proc/self/ /sys/class >/dev/null 2>&1; cat /proc/modules /proc/meminfo >/dev/null; done",
    "python3 -m http.server 7777 --bind 127.0.0.1 --directory /etc >/dev/null 2>&1",
    "while :; do busybox wget -q -O /dev/null http://127.0.0.1:7777/os-release || sleep 1; done",
  ];
}

const workshop = new Workshop();
let guest: Guest;
let update: string;
let probe: string;

beforeAll(async () => {
  const tree = await testTree("6.1");
  update = await workshop.createOfEdits(tree.path, "stress", RAW_FIX);
  probe = await workshop.probe("raw-hdrincl");
  guest = await bootGuest(tree.path, { cpus: 2, expose: [workshop.dir] });
});

afterAll(async () => {
  await guest.end();
  workshop.end();
});

/** All rounds in one process. */
async function runRounds(): Promise<Round[]> {
  const script = join(packageRoot(), "dist/bench/apply-undo-rounds.js");
  const result = await guest.machine.run([process.execPath, script, String(ROUNDS), update], { timeoutMs: 1_500_000 });
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  return result.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Round);
}

describe(`${String(ROUNDS)} rounds of apply and undo under load, on two processors`, () => {
  it("succeed, and leave no module, no sysfs entry and no memory behind", async () => {
    // They take what the rounds leave: one processor, and the other whenever a round waits.
    const running = loads(probe).map((command) => guest.machine.start(["nice", "-n", "10", "sh", "-c", command]));
    const rounds = await runRounds();
    const ended = await Promise.all(running.map((load) => Promise.race([load.finished.then(() => true), Promise.resolve(false)])));
    const served = await guest.machine.run("busybox wget -q -O - http://127.0.0.1:7777/os-release");
    for (const load of running) load.kill();
    expect(ended, "loads that ended by themselves").toEqual(running.map(() => false));
    expect(served.stdout).toContain("Debian");
    expect(rounds.length).toBe(ROUNDS);
    expect(rounds.map((round) => round.modules)).toEqual(rounds.map(() => 0));
    // The first rounds fill caches. A leak of one module's text or of one update's tables each round would be far above this.
    const [settled, last] = [rounds[Math.floor(ROUNDS / 2) - 1], rounds.at(-1)];
    expect((last?.vmallocKiB ?? 0) - (settled?.vmallocKiB ?? 0)).toBeLessThan(400);
    expect((last?.slabKiB ?? 0) - (settled?.slabKiB ?? 0)).toBeLessThan(8192);
    expect(await guest.sh(probe)).toBe("accepted");
    await guest.expectClean();
  });
});
