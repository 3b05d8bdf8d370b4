import { gzipSync } from "node:zlib";
import tar from "tar-stream";

/** A file of a package, by its path from `/`, without the slash. */
export interface DebFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface Deb {
  /** Fields of the control file, in their order; further lines of a value are indented already. */
  readonly control: Readonly<Record<string, string>>;
  /** Maintainer scripts by name (`postinst`). */
  readonly scripts: Readonly<Record<string, string>>;
  readonly files: readonly DebFile[];
  /** Of everything in it. */
  readonly date: Date;
}

/**
 * The bytes of a Debian package (deb(5)): an ar archive of two tar archives. Nothing of dpkg is needed, and the same input gives the same bytes.
 */
export async function writeDeb({ control, scripts, files, date }: Deb): Promise<Uint8Array> {
  const kilobytes = files.reduce((sum, { bytes }) => sum + Math.ceil(bytes.length / 1024), 0);
  const fields = Object.entries({ ...control, "Installed-Size": String(kilobytes) }).sort(
    ([a], [b]) => Number(a === "Description") - Number(b === "Description"),
  );
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  const meta: TarFile[] = [
    { path: "control", bytes: text(fields.map(([name, value]) => `${name}: ${value}\n`).join("")), mode: 0o644 },
    ...Object.entries(scripts).map(([name, script]) => ({ path: name, bytes: text(script), mode: 0o755 })),
  ];
  return writeAr(
    [
      { name: "debian-binary", bytes: text("2.0\n") },
      { name: "control.tar.gz", bytes: await writeTar(meta, date) },
      {
        name: "data.tar.gz",
        bytes: await writeTar(
          files.map((file) => ({ ...file, mode: 0o644 })),
          date,
        ),
      },
    ],
    date,
  );
}

interface TarFile extends DebFile {
  readonly mode: number;
}

/** With the directories above each file, as dpkg wants to know whose they are. */
async function writeTar(files: readonly TarFile[], mtime: Date): Promise<Uint8Array> {
  const pack = tar.pack();
  const chunks: Buffer[] = [];
  const done = (async () => {
    for await (const chunk of pack as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  })();
  const common = { mtime, uid: 0, gid: 0, uname: "root", gname: "root" };
  const directories = new Set(["."]);
  for (const { path } of files) {
    const parts = path.split("/").slice(0, -1);
    parts.forEach((_, index) => directories.add(`./${parts.slice(0, index + 1).join("/")}`));
  }
  for (const name of [...directories].sort()) pack.entry({ name: `${name}/`, type: "directory", mode: 0o755, ...common });
  for (const { path, bytes, mode } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1)))
    pack.entry({ name: `./${path}`, mode, ...common }, Buffer.from(bytes));
  pack.finalize();
  await done;
  return gzipSync(Buffer.concat(chunks), { level: 9 });
}

/** ar(5), as dpkg reads it: a head of 60 bytes a member, and an even length. */
function writeAr(members: readonly { readonly name: string; readonly bytes: Uint8Array }[], date: Date): Uint8Array {
  const seconds = String(Math.floor(date.getTime() / 1000));
  const parts = members.flatMap(({ name, bytes }) => [
    Buffer.from(
      `${name.padEnd(16)}${seconds.padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${String(bytes.length).padEnd(10)}\`\n`,
    ),
    bytes,
    Buffer.from(bytes.length % 2 === 0 ? "" : "\n"),
  ]);
  return Buffer.concat([Buffer.from("!<arch>\n"), ...parts]);
}
