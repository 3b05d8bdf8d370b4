import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readConfig } from "../config.js";
import { removeDurably } from "../trusted-files.js";
import { messageOf } from "../apply-guarded.js";
import type { Service } from "../service.js";
import { prometheusText } from "./prometheus.js";
import { readStatus } from "./read-status.js";
import { statusLine } from "./spell-status.js";

/**
 * Tells those who read files what has become of this machine: pam_motd by /run/motd.d, node_exporter where the configuration says so. After each change, so that no
 * login waits for a program of ours. What goes wrong is said, and stops nothing. In a container there is nothing to tell: whoever asks by hand is told why.
 */
export async function publishStatus(service: Service): Promise<void> {
  if (service.facts.container() !== undefined) return;
  try {
    const status = await readStatus(service);
    const motd = join(service.place.root, "run/motd.d/ksplice");
    const line = statusLine(status);
    if (line === "") await removeDurably(motd);
    else await writeForAll(motd, `${line}\n`);
    const { prometheus } = await readConfig(service.place);
    if (prometheus !== undefined) await writeForAll(prometheus, prometheusText(status));
  } catch (error) {
    service.tell("warning", `the status could not be published: ${messageOf(error)}`);
  }
}

/** Aside first, so that nobody reads half of it. */
async function writeForAll(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, text, { mode: 0o644 });
  await rename(`${path}.new`, path);
}
