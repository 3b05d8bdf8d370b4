import { commandSigner, keySigner, type ModuleSigner } from "../signing/module-signer.js";
import { readConfig } from "./config.js";
import type { Place } from "./place.js";
import { readTrusted } from "./trusted-files.js";

/**
 * What signs modules for this machine's kernel, by `/etc/ksplice/ksplice.conf`; undefined where that says nothing of it.
 * @throws Refusal `bad-config`, `untrusted-path` for a key that others may have put there
 */
export async function configuredSigner(place: Place): Promise<ModuleSigner | undefined> {
  const { moduleKey, moduleSigner } = await readConfig(place);
  if (moduleSigner !== undefined) return commandSigner(moduleSigner);
  if (moduleKey === undefined) return undefined;
  for (const path of [moduleKey.key, moduleKey.certificate]) await readTrusted(path, place);
  return keySigner(moduleKey);
}
