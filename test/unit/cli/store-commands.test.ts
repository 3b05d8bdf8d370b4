import { join } from "node:path";
import { expect, test } from "vitest";
import { runCommand } from "../../support/run-command.js";
import { updateFile } from "../../support/store-samples.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

test("an update is put in service, listed and taken out again", async () => {
  const root = join(temporaryDirectory(), "root");
  const at = ["--root", root];
  const [first, second] = [await updateFile(root, "one"), await updateFile(root, "two", { after: ["one"], cves: ["CVE-2026-1234"] })];
  expect(await runCommand(["list", ...at])).toEqual({ exitCode: 0, stdout: "", stderr: "no update is in the store" });
  expect(await runCommand(["install", ...at, second])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("made after one") as string,
  });
  expect(await runCommand(["install", ...at, first])).toMatchObject({ exitCode: 0, stdout: "one is in service for 6.1.0-47-amd64" });
  expect(await runCommand(["install", ...at, first])).toMatchObject({ stdout: "one was in service already for 6.1.0-47-amd64" });
  expect(JSON.parse((await runCommand(["install", ...at, "--json", second])).stdout)).toMatchObject({
    kind: "new",
    id: "two",
    needs: ["one"],
  });
  expect((await runCommand(["list", ...at])).stdout).toBe("6.1.0-47-amd64:\n  one: a fix\n  two: a fix [CVE-2026-1234]; needs one");
  expect((await runCommand(["list", "-q", ...at])).stdout).toBe("one\ntwo");
  expect(JSON.parse((await runCommand(["list", "--json", ...at])).stdout)).toMatchObject([
    { release: "6.1.0-47-amd64", updates: [{ id: "one" }, { id: "two" }] },
  ]);
  expect(await runCommand(["remove", ...at, "one"])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("remove two first") as string,
  });
  expect(await runCommand(["remove", ...at, "two"])).toMatchObject({ exitCode: 0, stdout: "two is out of service for 6.1.0-47-amd64" });
  expect(await runCommand(["remove", ...at, "three"])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("in the store are: one") as string,
  });
  expect(await runCommand(["install", ...at, root])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("it is no tarball") as string,
  });
});
