import { resolve } from "node:path";
import type { Command } from "commander";
import { thisPlace, type Place, type StoredUpdate } from "../index.js";
import { requireRootUser } from "./common.js";

/** What the commands of the store and of the service share. */

export interface RootOption {
  readonly root?: string;
}

export function withRoot(command: Command): Command {
  return command.option("--root <dir>", "a system below this directory instead of the running one: an image that is being made");
}

/** @throws Refusal `not-root` for the system that runs */
export function placeOf({ root }: RootOption): Place {
  if (root === undefined) {
    requireRootUser();
    return thisPlace();
  }
  // Whoever makes an image as another user than root has its files under his own id.
  return { root: resolve(root), owner: process.geteuid?.() ?? 0 };
}

/** Why it is left out; undefined where it is not. */
export function heldInWords({ held }: Pick<StoredUpdate, "held">): string | undefined {
  if (held === undefined) return undefined;
  const words = { crash: "left out after a crash", "not-confirmed": "left out: it was not confirmed" }[held.reason];
  return `${words} (${held.since.slice(0, 16).replace("T", " ")} UTC: ${held.detail})`;
}
