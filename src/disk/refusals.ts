import { Refusal } from "../diagnostics.js";

export const noWholeModule = (id: string): Refusal =>
  new Refusal({
    code: "no-whole-module",
    message: `update ${id} brings no module for the disk`,
    hint: "ksplice create --build-modules builds it, where the update is of one module",
  });

export const noModules = (release: string, directory: string): Refusal =>
  new Refusal({
    code: "no-modules",
    message: `the modules of ${release} are not here`,
    location: directory,
    hint: "the update's file is for a machine that has that kernel installed",
  });

export const cannotChangeModules = (directory: string, reason: string): Refusal =>
  new Refusal({
    code: "modules-not-writable",
    message: `${directory} cannot be changed: ${reason}`,
    location: directory,
    hint: "nothing was put there or taken away; without --disk the update is applied to the running kernel only",
  });

export const spoiltModule = (path: string, id?: string): Refusal =>
  new Refusal({
    code: "spoilt-disk-module",
    message: `${path} is not what was put there${id === undefined ? "" : `: it does not say that it is of update ${id}`}`,
    location: path,
    hint: "look who changed it; then remove it, and run depmod",
  });

export const otherModule = (name: string, path: string, what: string): Refusal =>
  new Refusal({
    code: "other-module-on-disk",
    message: `the update's file of ${name} does not belong beside what is here: ${what}`,
    location: path,
    hint: "without --disk the update is applied to the module that is loaded, where that matches",
  });

export const withoutOthers = (name: string, id: string, others: readonly string[]): Refusal =>
  new Refusal({
    code: "disk-module-of-another",
    message: `${name} is on the disk with ${others.join(", ")}, and the file of ${id} does not have that`,
    hint: `make ${id} with ksplice create --after, or undo ${others.join(", ")} first`,
  });

export const heldByNewer = (id: string, newer: readonly string[]): Refusal =>
  new Refusal({
    code: "disk-module-of-newer",
    message: `${id} is in the module that ${newer.join(", ")} has on the disk`,
    hint: `undo ${newer.join(", ")} first`,
  });

export const depmodFailed = (release: string, words: string): Refusal =>
  new Refusal({ code: "depmod-failed", message: `depmod does not work for ${release}:\n${words}`, hint: "apt-get install kmod" });

export const notPreferred = (name: string, winner: string | undefined): Refusal =>
  new Refusal({
    code: "disk-module-not-taken",
    message: `modprobe would load ${winner ?? `no ${name}`} and not the update's file, by what depmod says`,
    location: "/etc/depmod.d",
    hint: "the directory updates has to come before built-in in depmod's search order (depmod.d(5)); the file was taken away again",
  });
