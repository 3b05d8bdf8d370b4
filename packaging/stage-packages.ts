import { chmod, cp, mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { packageRoot } from "../src/host/package-root.js";
import { copyrightWithLibraries, OWN_COPYRIGHT } from "./copyright.js";
import type { PackageTree } from "./deb.js";
import {
  isBuildCommand,
  MAINTAINER,
  writeChangelog,
  writeCompletion,
  writeFilePages,
  writeInside,
  writeManPages,
} from "./documentation.js";
import { LIBRARY } from "./layout.js";
import { MAINTAINER_SCRIPTS } from "./maintainer-scripts.js";
import type { NodeRuntime } from "./node-runtime.js";

export interface StageOptions {
  readonly version: string;
  readonly date: Date;
  readonly runtime: NodeRuntime;
}

const WRAPPER = `#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
exec /${LIBRARY}/node "/${LIBRARY}/dist/cli/\${0##*/}.cjs" "$@"
`;

/** Where the units and the rule of udev go, by file. */
const SYSTEM_FILES: Readonly<Record<string, string>> = {
  "ksplice.service": "usr/lib/systemd/system",
  "ksplice-guard.service": "usr/lib/systemd/system",
  "ksplice-resume.service": "usr/lib/systemd/system",
  "60-ksplice.rules": "usr/lib/udev/rules.d",
};

/** Commands with a name of their own, besides \`ksplice\`. */
const TARGET_PROGRAMS = ["ksplice", "ksplice-apply", "ksplice-view", "ksplice-undo"];
const BUILD_PROGRAMS = ["ksplice-create"];

/** What a machine needs whose kernel is to be patched. */
export async function stageKsplice(path: string, options: StageOptions): Promise<PackageTree> {
  const { version, date, runtime } = options;
  await writePrograms(path, TARGET_PROGRAMS);
  await copyCommands(path, version);
  await cp(runtime.program, join(path, LIBRARY, "node"));
  // A quarter of it is symbols that only a debugger reads.
  await execa("strip", ["--strip-unneeded", "--remove-section=.comment", join(path, LIBRARY, "node")]);
  await chmod(join(path, LIBRARY, "node"), 0o755);
  await writeManPages(path, (command) => !isBuildCommand(command), options);
  await writeFilePages(path, options);
  await writeCompletion(path, ["ksplice-apply", "ksplice-view", "ksplice-undo"]);
  await writeChangelog(path, "ksplice", { version, date });
  await writeInside(join(path, "usr/share/doc/ksplice/copyright"), await copyrightWithLibraries(runtime.license));
  await writeOverrides(path, "ksplice");
  for (const [name, directory] of Object.entries(SYSTEM_FILES))
    await writeInside(join(path, directory, name), await readFile(join(packageRoot(), "packaging/systemd", name)));
  await writeInside(
    join(path, "etc/needrestart/conf.d/ksplice.conf"),
    await readFile(join(packageRoot(), "packaging/needrestart/ksplice.conf")),
  );
  return {
    path,
    scripts: MAINTAINER_SCRIPTS,
    control: {
      ...commonFields("ksplice", version, "amd64"),
      Depends: "libc6 (>= 2.28), libgcc-s1 (>= 3.3), libstdc++6 (>= 10), kmod",
      Recommends: "openssh-client, openssl",
      Suggests: "ksplice-build",
      Description: `patch the running Linux kernel without a reboot
 Applies updates to the running kernel, lists them and takes them out again.
 An update is made of an ordinary source patch by ksplice-build, perhaps on
 another machine. Before anything is loaded, every function of the touched
 files is compared with the kernel's memory, byte by byte.
 .
 This package brings the JavaScript runtime that its commands run with.`,
    },
  };
}

/** What makes updates. */
export async function stageBuild(path: string, options: StageOptions): Promise<PackageTree> {
  const { version, date } = options;
  await writePrograms(path, BUILD_PROGRAMS);
  await cp(join(packageRoot(), "kmod"), join(path, LIBRARY, "kmod"), { recursive: true });
  // Where Ansible looks for roles by itself.
  await cp(join(packageRoot(), "packaging/ansible/roles/ksplice"), join(path, "usr/share/ansible/roles/ksplice"), { recursive: true });
  await cp(join(packageRoot(), "packaging/ansible/playbook.yml"), join(path, "usr/share/doc/ksplice-build/examples/playbook.yml"));
  await writeManPages(path, isBuildCommand, options);
  await mkdir(join(path, "usr/share/bash-completion/completions"), { recursive: true });
  await symlink("ksplice", join(path, "usr/share/bash-completion/completions/ksplice-create"));
  await writeChangelog(path, "ksplice-build", { version, date });
  await writeInside(join(path, "usr/share/doc/ksplice-build/copyright"), OWN_COPYRIGHT);
  await writeOverrides(path, "ksplice-build");
  const packages = (await setUpPackages()).filter((name) => !ESSENTIAL.has(name));
  const optional = packages.filter((name) => FOR_REHEARSALS.has(name));
  return {
    path,
    control: {
      ...commonFields("ksplice-build", version, "all"),
      Depends: [`ksplice (= ${version})`, ...packages.filter((name) => !FOR_REHEARSALS.has(name))].join(", "),
      Recommends: optional.join(", "),
      Description: `make updates for the running Linux kernel out of source patches
 Fetches the source and the compiler of a distribution's kernel, compiles what
 a patch touches before and after it, finds out which functions change, and
 packs an update that ksplice applies. Updates can be rehearsed in a virtual
 machine that boots the very kernel.`,
    },
  };
}

/** Every Debian system has these. */
const ESSENTIAL: ReadonlySet<string> = new Set(["util-linux"]);
const FOR_REHEARSALS: ReadonlySet<string> = new Set(["qemu-system-x86", "busybox-static"]);

function commonFields(name: string, version: string, architecture: string): Record<string, string> {
  return { Package: name, Version: version, Architecture: architecture, Maintainer: MAINTAINER, Section: "kernel", Priority: "optional" };
}

async function writePrograms(tree: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await writeInside(join(tree, "usr/bin", name), WRAPPER);
    await chmod(join(tree, "usr/bin", name), 0o755);
  }
}

/** The bundled commands and the one library that is not in the bundle. */
async function copyCommands(tree: string, version: string): Promise<void> {
  const from = join(packageRoot(), "dist/cli");
  // Neither maps come along, nor what V8 has made of the bundle: that is never the same twice.
  const names = (await readdir(from, { recursive: true })).filter((entry) => entry.endsWith(".cjs")).sort();
  for (const name of names) {
    const text = await readFile(join(from, name), "utf8");
    // No program is run by its first line here.
    await writeInside(join(tree, LIBRARY, "dist/cli", name), text.replace(/^#!.*\n/, "").replace(/^\/\/# sourceMappingURL=.*\n?/m, ""));
  }
  const meta = { name: "ksplice", version, license: "GPL-2.0-only", private: true, type: "module" };
  await writeInside(join(tree, LIBRARY, "package.json"), `${JSON.stringify(meta, undefined, 2)}\n`);
  for (const name of ["package.json", "iced_x86.js", "iced_x86_bg.wasm"])
    await writeInside(
      join(tree, LIBRARY, "node_modules/iced-x86", name),
      await readFile(join(packageRoot(), "node_modules/iced-x86", name)),
    );
}

async function writeOverrides(tree: string, name: string): Promise<void> {
  const text = await readFile(join(packageRoot(), "packaging", `${name}.lintian-overrides`), "utf8");
  await writeInside(join(tree, "usr/share/lintian/overrides", name), text);
}

/** The packages that set-up installs for making updates: one list for both. @throws Error if set-up does not have it where it is looked for */
export async function setUpPackages(): Promise<string[]> {
  const script = await readFile(join(packageRoot(), "scripts/setup"), "utf8");
  const [, list] = /^packages="([^"]*)"$/m.exec(script) ?? [];
  if (list === undefined) throw new Error("scripts/setup has no list of packages");
  return list.split(/\s+/).sort();
}
