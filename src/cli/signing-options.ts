import { resolve } from "node:path";
import type { Command } from "commander";
import { commandSigner, keySigner, type ModuleSigner } from "../index.js";
import { usage } from "./common.js";

/** What modules are signed with, for a kernel that loads no others. */
export interface SigningOptions {
  readonly signKey?: string;
  readonly signCert?: string;
  readonly signer?: string;
}

/** For the commands that load modules. */
export function withSigning(command: Command): Command {
  return command
    .option("--sign-key <file>", "sign what is loaded with this key, for a kernel that wants that; KBUILD_SIGN_PIN is its passphrase")
    .option("--sign-cert <file>", "the key's certificate, which the kernel must know")
    .option(
      "--signer <command>",
      "sign with this shell command instead: a module on stdin, its detached PKCS#7 signature in DER on stdout",
    );
}

/** @returns undefined where nothing was said: the machine's configuration may name one. @throws Refusal `usage` */
export function signerOf(options: SigningOptions): ModuleSigner | undefined {
  checkSigning(options);
  const { signKey, signCert, signer } = options;
  if (signer !== undefined) return commandSigner(signer);
  if (signKey === undefined || signCert === undefined) return undefined;
  return keySigner({ key: signKey, certificate: signCert, passphrase: process.env["KBUILD_SIGN_PIN"] });
}

/** The same options for a command that is run elsewhere. @throws Refusal `usage` */
export function signingArguments(options: SigningOptions): string[] {
  checkSigning(options);
  const { signKey, signCert, signer } = options;
  if (signer !== undefined) return ["--signer", signer];
  return signKey === undefined || signCert === undefined ? [] : ["--sign-key", resolve(signKey), "--sign-cert", resolve(signCert)];
}

function checkSigning({ signKey, signCert, signer }: SigningOptions): void {
  if ((signKey === undefined) !== (signCert === undefined)) throw usage("--sign-key and --sign-cert go together");
  if (signer !== undefined && signKey !== undefined) throw usage("--signer signs with a key of its own: it does not go with --sign-key");
}
