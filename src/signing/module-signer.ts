import { execa } from "execa";
import { isFile } from "../host/files.js";
import { missingDebianTool } from "../host/refusals.js";
import { appendSignature, findFault } from "./module-signature.js";
import { cannotSign, unusableKey } from "./refusals.js";

/** Signs modules for a kernel that loads no others. */
export interface ModuleSigner {
  /** @returns the module with its signature. @throws Refusal `cannot-sign`, `unusable-key`, `missing-tools` */
  sign(module: Uint8Array, name: string): Promise<Uint8Array>;
}

/** A key that lies on this machine. */
export interface SigningKey {
  /** PEM. */
  readonly key: string;
  /** Its certificate, PEM or DER. */
  readonly certificate: string;
  /** What the key is locked with, if it is. */
  readonly passphrase?: string | undefined;
}

/**
 * A kernel that checks signatures has this one whatever it signs its own modules with: it looks modules up in its list of what was withdrawn by it
 * (mod_is_hash_blacklisted in kernel/module/signing.c, Linux 6.1).
 */
const HASH = "sha256";

/** Where openssl looks for the passphrase; what the kernel's own build calls it, too (Documentation/admin-guide/module-signing.rst). */
const PASSPHRASE_VARIABLE = "KBUILD_SIGN_PIN";

/** Signs by `openssl cms`, in the form of the kernel's scripts/sign-file: detached, without certificates, without attributes. */
export function keySigner({ key, certificate, passphrase }: SigningKey): ModuleSigner {
  const args = [
    ...["cms", "-sign", "-binary", "-noattr", "-nocerts", "-nosmimecap", "-md", HASH, "-outform", "DER"],
    ...["-signer", certificate, "-inkey", key, ...(passphrase === undefined ? [] : ["-passin", `env:${PASSPHRASE_VARIABLE}`])],
  ];
  return {
    sign: async (module, name) => {
      for (const path of [key, certificate]) if (!(await isFile(path))) throw unusableKey(path, "there is no such file");
      const env = passphrase === undefined ? {} : { [PASSPHRASE_VARIABLE]: passphrase };
      return appendSignature(module, await makeSignature("openssl", args, module, name, "openssl", env));
    },
  };
}

/**
 * Signs by a shell command of the user's own, which gets the module on its standard input and gives the signature on its standard output: a detached
 * PKCS#7 message in DER. So the key may be on another machine.
 */
export function commandSigner(command: string): ModuleSigner {
  return {
    sign: async (module, name) =>
      appendSignature(module, await makeSignature("sh", ["-c", command], module, name, "its signer", { KSPLICE_MODULE: name })),
  };
}

async function makeSignature(
  program: string,
  args: readonly string[],
  module: Uint8Array,
  name: string,
  who: string,
  env: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const result = await execa(program, args, {
    input: module,
    encoding: "buffer",
    stderr: "pipe",
    reject: false,
    env: { LC_ALL: "C", ...env },
    stripFinalNewline: false,
  });
  if (result.code === "ENOENT") throw missingDebianTool(program, program);
  if (result.failed) {
    const words = new TextDecoder().decode(result.stderr).trim();
    const how = result.exitCode === undefined ? (result.signal ?? "was stopped") : `status ${result.exitCode}`;
    throw cannotSign(name, who, `ended with ${how}${words === "" ? "" : `:\n${words}`}`);
  }
  const fault = findFault(result.stdout);
  if (fault !== undefined) throw cannotSign(name, who, `did not do as it should: ${fault}`);
  return result.stdout;
}
