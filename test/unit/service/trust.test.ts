import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readToApply } from "../../../src/service/read-incoming.js";
import { requireTrusted } from "../../../src/service/trust.js";
import { collect } from "../../support/collect-events.js";
import { runCommand } from "../../support/run-command.js";
import { placeIn, updateFile } from "../../support/store-samples.js";
import { readIncoming } from "../../../src/service/read-incoming.js";
import { temporaryDirectory, writeFiles } from "../../support/temp-dir.js";

const dir = temporaryDirectory();
const root = join(dir, "root");
const place = placeIn(root);
const said: string[] = [];
let update: string;

function config(text: string): void {
  writeFiles(root, { "etc/ksplice/ksplice.conf": text });
}

function sign(key: string, namespace = "ksplice-update"): void {
  rmSync(`${update}.sig`, { force: true });
  execFileSync("ssh-keygen", ["-q", "-Y", "sign", "-n", namespace, "-f", join(dir, key), update], { stdio: "ignore" });
}

async function signer(): Promise<string | undefined> {
  return await requireTrusted(place, await readIncoming(update), collect(said, "warning"));
}

beforeAll(async () => {
  for (const name of ["good", "other", "stranger"])
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(dir, name)]);
  const key = (name: string): string => readFileSync(join(dir, `${name}.pub`), "utf8").trim();
  writeFiles(root, { "etc/ksplice/allowed_signers": `security@example.org ${key("good")}\nlab@example.org ${key("other")}\n` });
  writeFiles(root, { "etc/ksplice/revoked": `${key("good")}\n` });
  update = await updateFile(dir, "abc");
});

describe("with a policy that asks for signatures", () => {
  test("who signed is said", async () => {
    config("# who\nrequire-signature = yes\nsigners = security@*, nobody\n");
    sign("good");
    expect(await signer()).toBe("security@example.org");
  });

  test("an update is refused that has none, or one of somebody who may not, or for something else, or of another file", async () => {
    rmSync(`${update}.sig`);
    await expect(signer()).rejects.toMatchObject({ code: "not-signed" });
    sign("stranger");
    await expect(signer()).rejects.toMatchObject({
      code: "bad-signature",
      message: expect.stringContaining("none of those that may sign") as string,
    });
    sign("other");
    await expect(signer()).rejects.toMatchObject({
      message: expect.stringContaining("lab@example.org, who may not sign for this machine") as string,
    });
    sign("good", "file");
    await expect(signer()).rejects.toMatchObject({ code: "bad-signature" });
    sign("good");
    const other = await updateFile(join(dir, "elsewhere"), "abc", { description: "another" });
    writeFileSync(`${other}.sig`, readFileSync(`${update}.sig`));
    await expect(requireTrusted(place, await readIncoming(other), collect(said))).rejects.toMatchObject({ code: "bad-signature" });
    await expect(readToApply(dir, place, collect(said))).rejects.toMatchObject({ code: "bad-update" });
  });

  test("a key that was withdrawn does not count", async () => {
    config("require-signature = yes\nrevoked-keys = /etc/ksplice/revoked\n");
    await expect(signer()).rejects.toMatchObject({ code: "bad-signature" });
    config("require-signature = yes\nrevoked-keys = /etc/ksplice/not-there\n");
    await expect(signer()).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("nobody may sign where nobody is named", async () => {
    config("require-signature = yes\nallowed-signers = /etc/ksplice/none\n");
    await expect(signer()).rejects.toMatchObject({ code: "no-signers" });
  });
});

test("without one, a signature that does not count is said, and stops nothing", async () => {
  config("");
  sign("stranger");
  expect(await signer()).toBeUndefined();
  expect(said.at(-1)).toMatch(/^the signature of abc does not count: /);
});

test("updates for other kernels than those that are allowed are refused", async () => {
  config("kernels = 6.12.*, 6.1.?-47\n");
  await expect(signer()).rejects.toMatchObject({ code: "kernel-not-allowed" });
  config("kernels = 6.1.?-47-*\n");
  expect(await signer()).toBeUndefined();
});

test.each([
  ["requiresignature = yes", /ksplice.conf:1: there is no "requiresignature"/],
  ["require-signature", /ksplice.conf:1: there is no "require-signature"/],
  ["\nrequire-signature = true", /require-signature is "true", and not yes or no/],
  ["module-key = /etc/k", /ksplice.conf: module-key and module-certificate go together/],
  ["module-key = /k\nmodule-certificate = /c\nmodule-signer = true", /says both module-key and module-signer/],
  ["signers = a\nsigners = b", /ksplice.conf:2: signers is said twice/],
  ["signers =", /signers has no value/],
])("a policy that is misspelt is refused: %j", async (text, message) => {
  config(text);
  await expect(signer()).rejects.toMatchObject({ code: "bad-config", message: expect.stringMatching(message) as string });
});

test("the commands insist on it, and the store keeps who signed", async () => {
  config("require-signature = yes\n");
  rmSync(`${update}.sig`, { force: true });
  expect(await runCommand(["install", "--root", root, update])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("has no signature") as string,
  });
  sign("good");
  expect(JSON.parse((await runCommand(["install", "--root", root, "--json", update])).stdout)).toMatchObject({
    signer: "security@example.org",
  });
  expect(await runCommand(["verify-signature", "--root", root, update])).toMatchObject({
    exitCode: 0,
    stdout: "abc is signed by security@example.org",
  });
  const alone = join(dir, "alone");
  writeFileSync(alone, `x@y ${readFileSync(join(dir, "stranger.pub"), "utf8")}`, { mode: 0o600 });
  expect(await runCommand(["verify-signature", "--root", root, "--allowed-signers", alone, update])).toMatchObject({ exitCode: 1 });
});
