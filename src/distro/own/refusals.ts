import { Refusal } from "../../diagnostics.js";

export function noKernelBuild(path: string): Refusal {
  return new Refusal({
    code: "no-kernel-build",
    message: `no kernel has been built in ${path}: neither it nor a link \`source\` in it is a kernel's source`,
    location: path,
    hint: "--build names the source that the kernel was built in, or the directory that `make O=` named",
  });
}

const SHOWN = 6;

function listed(words: readonly string[], separator: string): string {
  const more = words.length > SHOWN ? [`and ${words.length - SHOWN} more`] : [];
  return [...words.slice(0, SHOWN), ...more].join(separator);
}

export function buildNotFinished(directory: string, missing: readonly string[]): Refusal {
  return new Refusal({
    code: "build-not-finished",
    message: `the build in ${directory} is not whole; it lacks ${listed(missing, ", ")}`,
    location: directory,
    hint: "this must be the very build that is running: a new one, to finish it, is another kernel unless that is installed too",
  });
}

export function configurationChanged(directory: string, differences: readonly string[]): Refusal {
  return new Refusal({
    code: "configuration-changed",
    message: `${directory}/.config is not what the kernel there was built with:\n${listed(differences, "\n")}`,
    location: `${directory}/.config`,
    hint: "put the configuration back that the running kernel has (/boot/config-RELEASE, /proc/config.gz)",
  });
}

export function configDirectoryInUse(path: string): Refusal {
  return new Refusal({
    code: "config-directory-in-use",
    message: `${path} is there already, and was not made by \`ksplice prepare --build\``,
    location: path,
    hint: "move it away, or name another one with --config=DIR",
  });
}
