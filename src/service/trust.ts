import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { Refusal } from "../diagnostics.js";
import { missingDebianTool } from "../host/refusals.js";
import { makeTemporary, removeTemporary } from "../host/temporary.js";
import type { Tell } from "../events.js";
import { readConfig, type Config } from "./config.js";
import type { Place } from "./place.js";
import type { Incoming } from "./store/update-store.js";
import { readTrusted, readTrustedIfThere } from "./trusted-files.js";

/** `ssh-keygen -Y sign -n ksplice-update -f KEY UPDATE`: a signature for anything else is none for an update. */
export const SIGNATURE_NAMESPACE = "ksplice-update";

/**
 * Holds an update against the policy of `/etc/ksplice/ksplice.conf`.
 * @returns whose signature it has; undefined for one without, where the policy asks for none
 * @throws Refusal `kernel-not-allowed`, `not-signed`, `bad-signature`, `bad-config`
 */
export async function requireTrusted(place: Place, incoming: Incoming, tell: Tell): Promise<string | undefined> {
  const config = await readConfig(place);
  const { id, kernel } = incoming.update.manifest;
  if (!matchesAny(kernel.release, config.kernels))
    throw new Refusal({
      code: "kernel-not-allowed",
      message: `update ${id} is for ${kernel.release}, and this machine takes updates for ${config.kernels.join(", ")} only`,
      hint: "/etc/ksplice/ksplice.conf says so: kernels",
    });
  if (incoming.signature === undefined) {
    if (config.requireSignature) throw notSigned(id);
    return undefined;
  }
  try {
    return await verifySignature(place, incoming, config);
  } catch (error) {
    if (config.requireSignature || !(error instanceof Refusal)) throw error;
    tell("warning", `the signature of ${id} does not count: ${error.message}`);
    return undefined;
  }
}

/** An unpacked tree has no signature. @throws Refusal `not-signed` */
export async function requireNoPolicy(place: Place, id: string): Promise<void> {
  if ((await readConfig(place)).requireSignature) throw notSigned(id);
}

/**
 * @returns the principal of the file of signers whose key signed these very bytes
 * @throws Refusal `not-signed`, `bad-signature`, `no-signers`
 */
export async function verifySignature(place: Place, { tarball, signature, update }: Incoming, config: Config): Promise<string> {
  const { id } = update.manifest;
  if (signature === undefined) throw notSigned(id);
  const allowed = await readTrustedIfThere(config.allowedSigners, place);
  if (allowed === undefined)
    throw new Refusal({
      code: "no-signers",
      message: `there is nobody who may sign: ${config.allowedSigners} is not there`,
      location: config.allowedSigners,
      hint: "a line a signer, PRINCIPAL KEY, as ssh-keygen(1) has it under ALLOWED SIGNERS",
    });
  const revoked = config.revokedKeys === undefined ? undefined : await readTrusted(config.revokedKeys, place);
  // ssh-keygen reads files: these are of the bytes that were checked.
  const directory = await makeTemporary("ksplice-signature-");
  try {
    const file = async (name: string, bytes: Uint8Array): Promise<string> => {
      const path = join(directory, name);
      await writeFile(path, bytes, { mode: 0o600 });
      return path;
    };
    const signers = await file("allowed_signers", allowed);
    const sig = await file("signature", signature);
    const withdrawn = revoked === undefined ? [] : ["-r", await file("revoked", revoked)];
    const found = await keygen(["-Y", "find-principals", "-s", sig, "-f", signers]);
    if (found.failed) throw badSignature(id, "its key is none of those that may sign");
    const principals = found.stdout.split("\n").filter((each) => each !== "");
    const mine = principals.filter((principal) => matchesAny(principal, config.signers));
    if (mine.length === 0) throw badSignature(id, `it is signed by ${principals.join(", ")}, who may not sign for this machine`);
    let words = "";
    for (const principal of mine) {
      const verified = await keygen(
        ["-Y", "verify", "-n", SIGNATURE_NAMESPACE, "-I", principal, "-f", signers, "-s", sig, ...withdrawn],
        tarball,
      );
      if (!verified.failed) return principal;
      words = verified.stderr.trim().split("\n").at(-1) ?? "";
    }
    throw badSignature(id, words);
  } finally {
    await removeTemporary(directory);
  }
}

async function keygen(
  args: readonly string[],
  input: Uint8Array = new Uint8Array(),
): Promise<{ failed: boolean; stdout: string; stderr: string }> {
  const result = await execa("ssh-keygen", args, { input, reject: false, env: { LC_ALL: "C" }, timeout: 30_000 });
  if (result.code === "ENOENT") throw missingDebianTool("ssh-keygen", "openssh-client");
  return { failed: result.failed, stdout: result.stdout, stderr: result.stderr };
}

/** `*` stands for anything, `?` for one letter. */
function matchesAny(text: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const source = pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    return new RegExp(`^${source}$`, "s").test(text);
  });
}

const notSigned = (id: string): Refusal =>
  new Refusal({
    code: "not-signed",
    message: `update ${id} has no signature, and this machine takes none without`,
    hint: `sign the tarball: ssh-keygen -Y sign -n ${SIGNATURE_NAMESPACE} -f KEY UPDATE; the signature lies beside it as UPDATE.sig`,
  });

const badSignature = (id: string, reason: string): Refusal =>
  new Refusal({
    code: "bad-signature",
    message: `the signature of update ${id} is not good: ${reason}`,
    hint: "the tarball was changed, or somebody else signed it, or for another purpose (-n)",
  });
