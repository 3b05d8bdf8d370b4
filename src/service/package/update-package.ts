import { gzipSync } from "node:zlib";
import { Refusal } from "../../diagnostics.js";
import type { Manifest } from "../../update/file/manifest.js";
import type { Incoming } from "../store/update-store.js";
import { writeDeb } from "./write-deb.js";

export interface PackageOptions {
  /** `NAME <ADDRESS>`. */
  readonly maintainer: string;
}

/** Where a package keeps what its scripts put into the store. */
const SHARE = "usr/share/ksplice/updates";

/** Debian's names of processors, by the kernel's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

/**
 * A Debian package of an update, for the kernel that it is for: so that apt carries it, signs it and rolls it out. Installed, it puts the update in service; removed, it takes it out.
 * @returns the file's name and bytes
 * @throws Refusal `bad-package-name`
 */
export async function packageUpdate(
  { update, tarball, signature }: Incoming,
  { maintainer }: PackageOptions,
): Promise<{ name: string; bytes: Uint8Array }> {
  const { manifest } = update;
  const { id, kernel, after, created } = manifest;
  const date = new Date(created);
  const name = packageName(id, kernel.release);
  const version = `${created.slice(0, 10).replaceAll("-", "")}.${created.slice(11, 19).replaceAll(":", "")}`;
  const architecture = ARCHITECTURES[kernel.machine] ?? kernel.machine;
  const path = `${SHARE}/${kernel.release}/ksplice-${id}.tar.gz`;
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  const changelog = `${name} (${version}) unstable; urgency=medium\n\n  * ${headline(manifest)}\n\n -- ${maintainer}  ${date.toUTCString().replace("GMT", "+0000")}\n`;
  const bytes = await writeDeb({
    control: {
      Package: name,
      Version: version,
      Architecture: architecture,
      Maintainer: maintainer,
      Depends: ["ksplice", ...after.map((needed) => packageName(needed, kernel.release))].join(", "),
      Section: "kernel",
      Priority: "optional",
      Description: describe(manifest),
    },
    scripts: { postinst: postinst(id, path), prerm: prerm(id, kernel.release) },
    files: [
      { path, bytes: tarball },
      ...(signature === undefined ? [] : [{ path: `${path}.sig`, bytes: signature }]),
      { path: `usr/share/doc/${name}/changelog.gz`, bytes: gzipSync(changelog, { level: 9 }) },
      { path: `usr/share/doc/${name}/copyright`, bytes: text(copyright(date)) },
    ],
    date,
  });
  return { name: `${name}_${version}_${architecture}.deb`, bytes };
}

/** @throws Refusal `bad-package-name` */
export function packageName(id: string, release: string): string {
  const name = `ksplice-update-${id}-${release.replaceAll("_", "-")}`;
  // Debian Policy 5.6.7. Made small, two ids could become one.
  if (!/^[a-z0-9][a-z0-9+.-]+$/.test(name))
    throw new Refusal({
      code: "bad-package-name",
      message: `${name} cannot be the name of a Debian package: only small letters, digits and +.- can`,
      hint: "make the update with another id: ksplice create --id",
    });
  return name;
}

function copyright(date: Date): string {
  const year = date.getUTCFullYear();
  return `This package holds code of the Linux kernel, changed by the patch that is in it, and the kernel part of ksplice.

Linux is Copyright (C) 1991-${year} Linus Torvalds and the others who wrote it.
ksplice is Copyright (C) 2026 its authors.

Both are free software; you can redistribute them and/or modify them under the terms of version 2 of the GNU General Public License as published by
the Free Software Foundation. They come without any warranty. On Debian systems, the licence's text is in /usr/share/common-licenses/GPL-2.
`;
}

function headline({ description }: Manifest): string {
  return description.split(" — ")[0] ?? description;
}

function describe(manifest: Manifest): string {
  const { description, kernel, cves } = manifest;
  const first = headline(manifest).replace(/\.$/, "");
  const body = [
    ...wrap(description),
    ".",
    ...wrap(`For the kernel ${kernel.release}; it is applied without a reboot.${cves.length === 0 ? "" : ` Fixes ${cves.join(", ")}.`}`),
  ];
  return [`live update of the kernel: ${first}`.slice(0, 80), ...body].join("\n ");
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((each) => each !== "")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > 75) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  // A line that begins with a full stop means something else.
  return lines.map((line) => (line.startsWith(".") ? ` ${line}` : line));
}

/** What the kernel refuses fails no installation; what the store refuses does. Below a chroot the kernel is somebody else's. */
function postinst(id: string, path: string): string {
  return `#!/bin/sh
set -e
if [ "$1" = configure ]; then
	ksplice install --retry /${path}
	if [ -d /run/systemd/system ]; then
		ksplice service start --wait 20 || echo "ksplice: not all updates are applied, see: ksplice status (update ${id})" >&2
	else
		echo "ksplice: update ${id} is applied at the next boot of its kernel"
	fi
fi
`;
}

function prerm(id: string, release: string): string {
  return `#!/bin/sh
set -e
if [ "$1" = remove ]; then
	now=
	if [ -d /run/systemd/system ] && ! systemd-detect-virt --quiet --container; then
		now=--now
	fi
	# One that the kernel does not let go stays until the next boot, and one that is not in the store any more is out of it: both are said.
	ksplice remove $now --wait 20 --release '${release}' ${id} || true
fi
`;
}
