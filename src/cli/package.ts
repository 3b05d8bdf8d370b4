import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { packageUpdate, readIncoming } from "../index.js";
import { printJson, type CommonOptions } from "./common.js";

interface PackageOptions extends CommonOptions {
  readonly output: string;
  readonly maintainer?: string;
  readonly json?: boolean;
}

/** `ksplice package UPDATE` */
export function packageCommand(): Command {
  return new Command("package")
    .description("make a Debian package of an update: installed it puts the update in service, removed it takes it out")
    .argument("<update>", "a tarball made by ksplice-create; its signature, if it has one, lies beside it as UPDATE.sig")
    .option("-o, --output <dir>", "where the package goes", ".")
    .option("--maintainer <name>", "who makes it, NAME <ADDRESS> (default: as DEBFULLNAME and DEBEMAIL say)")
    .option("--json", "print what was made as JSON")
    .action(async (path: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<PackageOptions>();
      const { DEBFULLNAME = "ksplice", DEBEMAIL = "ksplice@localhost.localdomain" } = process.env;
      const { name, bytes } = await packageUpdate(await readIncoming(path), {
        maintainer: options.maintainer ?? `${DEBFULLNAME} <${DEBEMAIL}>`,
      });
      const output = join(options.output, name);
      await writeFile(output, bytes);
      if (options.json === true) printJson({ output, bytes: bytes.length });
      else if (options.quiet !== true) process.stdout.write(`${output}\n`);
    });
}
