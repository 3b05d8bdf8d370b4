import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { existsSync } from "node:fs";
import { packageVersion } from "../../src/cli/common.js";
import { BareRoot } from "../support/bare-root.js";

/** What the README says, on a system with nothing on it, from `apt install git npm` on. */

const RELEASES = [
  { suite: "bookworm", series: "6.1", bringsNode: true },
  { suite: "trixie", series: "6.12", bringsNode: false },
];

describe.each(RELEASES)("a bare $suite", ({ suite, series, bringsNode }) => {
  let root: BareRoot;
  let clone: string;

  beforeAll(async () => {
    root = await BareRoot.make(suite);
    const prepared = await root.run("apt-get -q update && apt-get -q -y install git npm");
    expect(prepared, prepared.output.slice(-2000)).toMatchObject({ exitCode: 0 });
    clone = await root.cloneProject();
  });

  afterAll(async () => {
    await root.end();
  });

  it("is set up, and says what it brings", async () => {
    const { exitCode, output } = await root.run("npm run setup", clone);
    expect(exitCode, output.slice(-4000)).toBe(0);
    // What npm brings along, a compiler among it, is there already.
    expect(output).toMatch(/^setup: installing these Debian packages:.* qemu-system-x86 /m);
    expect(/bringing Node 2\d\.\d+\.\d+ into runtime\//.test(output)).toBe(bringsNode);
    expect(existsSync(root.inside(`${clone}/runtime/node_modules`))).toBe(bringsNode);
  });

  it("has nothing to do the second time", async () => {
    const { exitCode, output } = await root.run("scripts/setup", clone);
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: "setup: compiling" });
  });

  it("runs the commands from anywhere", async () => {
    const commands = ["ksplice", "ksplice-create", "ksplice-apply", "ksplice-view", "ksplice-undo"];
    const { exitCode, output } = await root.run(commands.map((name) => `${clone}/bin/${name} --version`).join(" && "), "/");
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: commands.map(() => packageVersion()).join("\n") });
  });

  it("shows a fix of its current kernel, applied and undone", async () => {
    const { exitCode, output } = await root.run("npm run demo", clone);
    expect(exitCode, output.slice(-6000)).toBe(0);
    expect(output).toContain("All as it should be.");
    expect(/^kernel: (\d+\.\d+)\./m.exec(output)?.[1]).toBe(series);
    expect(output).toMatch(/^change: Debian's change to /m);
  });
});
