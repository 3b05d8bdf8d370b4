import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { shellScript } from "../../../vm/agent.js";
import { initScript, isHidden, quoteShell, runCommandScript } from "../../../vm/guest-scripts.js";

const layout = { modules: ["virtio", "9p"], share: undefined, expose: [] };

describe("quoting", () => {
  test.each(["plain", "two words", "it's", "$(reboot)", "a\nb", "", "*", 'say "x"', "\\"])(
    "%j comes out of the shell as it went in",
    (word) => {
      expect(execFileSync("/bin/sh", ["-c", `printf %s ${quoteShell(word)}`]).toString()).toBe(word);
    },
  );
});

test.each([
  ["/tmp/a", true],
  ["/run/user/0", true],
  ["/var/tmp/x/y", true],
  ["/tmp", false],
  ["/", false],
  ["/tmpfile", false],
  ["/home/me", false],
])("%s is hidden in the guest: %s", (path, expected) => {
  expect(isHidden(path)).toBe(expected);
});

describe("the first process", () => {
  test.each([
    ["with nothing more", layout],
    ["with a share and exposed directories that have spaces", { ...layout, share: "/tmp/the share", expose: ["/tmp/a b", "/tmp/c"] }],
  ])("is a shell script, %s", (_, given) => {
    for (const script of [initScript(given), runCommandScript()]) {
      const { status, stderr } = spawnSync("busybox", ["sh", "-n"], { input: script });
      expect(stderr.toString()).toBe("");
      expect(status).toBe(0);
    }
  });

  test("loads the modules in their order", () => {
    const script = initScript(layout);
    expect(script.indexOf("insmod /modules/virtio.ko")).toBeGreaterThan(0);
    expect(script.indexOf("insmod /modules/9p.ko")).toBeGreaterThan(script.indexOf("insmod /modules/virtio.ko"));
  });
});

test("what the host has in service, and its policy, are not the guest's", () => {
  const script = initScript(layout);
  const line = script.split("\n").find((each) => each.includes("/etc/ksplice")) ?? "";
  expect(script.indexOf(line)).toBeGreaterThan(script.indexOf(" /host || fail"));
  // Where the host has one of them only, that one is hidden.
  const host = mkdtempSync(join(tmpdir(), "ksplice-host-"));
  mkdirSync(join(host, "etc/ksplice"), { recursive: true });
  const { stdout } = spawnSync("busybox", ["sh", "-c", `mount() { echo "$@"; }; ${line.replaceAll("/host", host)}`]);
  expect(stdout.toString().replaceAll(host, "")).toBe("-t tmpfs -o mode=700 tmpfs /etc/ksplice\n");
  rmSync(host, { recursive: true });
});

describe("a command", () => {
  const runScript = (script: string) => spawnSync("/bin/sh", ["-c", script]);

  test("has its environment and directory", () => {
    const { stdout } = runScript(shellScript('echo "$A $HOME $(pwd)"', { env: { A: "b c", HOME: "/h" }, cwd: "/usr" }));
    expect(stdout.toString()).toBe("b c /h /usr\n");
  });

  test("as a list of words is one program", () => {
    expect(runScript(shellScript(["printf", "%s|", "a b", "$HOME"], {})).stdout.toString()).toBe("a b|$HOME|");
  });

  test("keeps its exit status", () => {
    expect(runScript(shellScript("exit 7", {})).status).toBe(7);
  });

  test("does not run where its directory is missing", () => {
    const { status, stdout } = runScript(shellScript("echo ran", { cwd: "/nowhere" }));
    expect([status, stdout.toString()]).toEqual([126, ""]);
  });
});
