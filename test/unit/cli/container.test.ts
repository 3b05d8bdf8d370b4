import { execa } from "execa";
import { expect, test } from "vitest";
import { commandLine } from "../../../src/host/program-paths.js";
import { updateFile } from "../../support/store-samples.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

/** What a container has that nobody has signed: processes and mounts of its own. Whether it is privileged the kernel says, and is asked for nothing here. */
const ENTER = ["--mount", "--pid", "--fork", "--mount-proc"];

/** With users of its own, which another one than root needs, the machine's /var is somebody else's in it, and not trusted: the night tries that in a root that is the container's. */
test.skipIf(process.getuid?.() !== 0)(
  "every command that would change the kernel is refused in a container, by name",
  async () => {
    const dir = temporaryDirectory();
    const update = await updateFile(dir, "fix");
    const commands: readonly (readonly [command: string, exitCode: number])[] = [
      ["status -q", 13],
      ["uname -r", 1],
      [`apply ${update}`, 1],
      [`apply --disk ${update}`, 1],
      [`apply --confirm 5m ${update}`, 1],
      [`install --now ${update}`, 1],
      ["undo fix", 1],
      ["confirm fix", 1],
      ["service start", 1],
      ["service resume", 1],
      [`install -q ${update}`, 0],
      ["remove --now fix", 1],
      ["remove -q fix", 0],
      ["view -q", 0],
    ];
    const [node, program] = commandLine("");
    const script = commands.map(([command]) => `"$@" ${command} >out 2>&1; echo "$?|$(head -n 1 out)"`);
    // What they might leave is the container's.
    const own = `mount -t tmpfs none /var/lib && mount -t tmpfs none /run && cd ${dir}`;
    const { stdout } = await execa("unshare", [...ENTER, "sh", "-c", `${own} && { ${script.join("; ")}; }`, "sh", node, program]);
    const said = stdout.split("\n").map((line) => line.split("|"));
    expect(said.map(([exitCode], index) => `${commands[index]?.[0] ?? ""}: ${exitCode ?? ""}`)).toEqual(
      commands.map(([command, exitCode]) => `${command}: ${exitCode}`),
    );
    for (const [exitCode, line = ""] of said)
      if (exitCode === "1") expect(line).toMatch(/^ksplice: this is a container \(.+\): it has no kernel of its own$/);
  },
  60_000,
);
