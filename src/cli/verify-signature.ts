import { resolve } from "node:path";
import { Command } from "commander";
import { readConfig, readIncoming, verifySignature } from "../index.js";
import { printJson, type CommonOptions } from "./common.js";
import { withRoot, type RootOption } from "./service-options.js";

interface VerifySignatureOptions extends CommonOptions, RootOption {
  readonly allowedSigners?: string;
  readonly json?: boolean;
}

/** `ksplice verify-signature UPDATE` */
export function verifySignatureCommand(): Command {
  return withRoot(new Command("verify-signature"))
    .description("say who signed an update, if that is somebody who may")
    .argument("<update>", "a tarball made by ksplice-create; its signature lies beside it as UPDATE.sig")
    .option("--allowed-signers <file>", "who may sign, as ssh-keygen(1) has it (default: as /etc/ksplice/ksplice.conf says)")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      "\nTo sign: ssh-keygen -Y sign -n ksplice-update -f KEY UPDATE\nExit status: 0 the signature is good, 1 it is not.",
    )
    .action(async (path: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<VerifySignatureOptions>();
      const place = { root: resolve(options.root ?? "/"), owner: process.geteuid?.() ?? 0 };
      const incoming = await readIncoming(path);
      const config = await readConfig(place);
      const { allowedSigners } = options;
      const signer = await verifySignature(
        place,
        incoming,
        allowedSigners === undefined ? config : { ...config, allowedSigners: resolve(allowedSigners) },
      );
      const { id } = incoming.update.manifest;
      if (options.json === true) printJson({ id, signer });
      else if (options.quiet !== true) process.stdout.write(`${id} is signed by ${signer}\n`);
    });
}
