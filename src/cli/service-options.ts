import { resolve } from "node:path";
import type { Command } from "commander";
import { commandLine, thisPlace, thisService, type Place, type Service, type StoredUpdate, type Tell } from "../index.js";
import { requireRootUser } from "./common.js";

/** What the commands of the store and of the service share. */

export interface RootOption {
  readonly root?: string;
}

/** For the commands that work on the store, which may be that of an image. */
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

/** @throws Refusal `not-root` */
export function serviceOf(options: RootOption, tell: Tell): Service {
  return thisService(placeOf(options), commandLine(""), tell);
}

/** Of the system that runs; whether that is root's to do is said later, by what it does. */
export function runningService(tell: Tell): Service {
  return thisService(thisPlace(), commandLine(""), tell);
}

/** Why it is left out; undefined where it is not. */
export function heldInWords({ held }: Pick<StoredUpdate, "held">): string | undefined {
  if (held === undefined) return undefined;
  const words = { crash: "left out after a crash", "not-confirmed": "left out: it was not confirmed" }[held.reason];
  return `${words} (${held.since.slice(0, 16).replace("T", " ")} UTC: ${held.detail})`;
}
