import { Refusal } from "../src/diagnostics.js";

/** A program that the harness runs is not installed. */
export function missingProgram(program: string, debianPackage: string): Refusal {
  return new Refusal({
    code: "vm-missing-program",
    message: `the virtual machine needs ${program}, which is not installed`,
    hint: `apt-get install ${debianPackage}`,
  });
}

export function busyboxNotStatic(path: string): Refusal {
  return new Refusal({
    code: "vm-busybox-not-static",
    message: `${path} is linked dynamically, and the first program of the virtual machine has no libraries`,
    location: path,
    hint: "apt-get install busybox-static",
  });
}

export function unreadableKernel(path: string, reason: string): Refusal {
  return new Refusal({ code: "vm-no-kernel", message: `cannot read the kernel to boot: ${reason}`, location: path });
}

export function noSuchModule(name: string, modulesDir: string): Refusal {
  return new Refusal({
    code: "vm-no-module",
    message: `the kernel's modules do not include ${name}, neither as a file nor built in`,
    location: modulesDir,
    hint: "give the lib/modules/RELEASE directory of the image package of the very kernel that is booted",
  });
}

/** The machine went down, or did not come up: with what tells most of what it said. */
export function machineStopped(what: string, consoleLog: string, lastWords: string): Refusal {
  return new Refusal({
    code: "vm-stopped",
    message: `${what}; the console says:\n${lastWords}`,
    location: consoleLog,
  });
}

export function cannotLoadModule(name: string, reason: string, consoleLog: string, lastWords: string): Refusal {
  return new Refusal({
    code: "vm-cannot-load-module",
    message: `the virtual machine cannot load module ${name}: ${reason}; the console says:\n${lastWords}`,
    location: consoleLog,
  });
}

export function commandTimedOut(command: string, timeoutMs: number, consoleLog: string, lastWords: string): Refusal {
  return new Refusal({
    code: "vm-command-timeout",
    message: `in the virtual machine, "${command}" took longer than ${timeoutMs / 1000} s and was killed; the console says:\n${lastWords}`,
    location: consoleLog,
  });
}
