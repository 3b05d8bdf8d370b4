import { mayBePartial } from "../../update/file/manifest.js";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isMissing } from "../../host/files.js";
import { sha256 } from "../../update/file/archive.js";
import { openUpdateBytes, type Update } from "../../update/file/update-file.js";
import { storeDir, type Place } from "../place.js";
import { badRelease, damagedStore, neededBy, needsMissing, notInStore, olderUpdate, severalReleases } from "../refusals.js";
import { makePrivateDirectory, readTrustedIfThere, removeDurably, writeDurably } from "../trusted-files.js";
import { withStoreLock } from "./store-lock.js";
import { RELEASE_PATTERN, storeIndexSchema, type StoredUpdate, type StoreIndex } from "./store-index.js";

/** An update as it comes in: the bytes that were read, once, and what they were found to be. */
export interface Incoming {
  readonly tarball: Uint8Array;
  readonly update: Update;
  /** OpenSSH's signature of the tarball. */
  readonly signature?: Uint8Array;
  readonly signer?: string;
}

export interface InstallOptions {
  readonly partial: boolean;
  /** Also one that is older than what the store has had. */
  readonly allowOlder: boolean;
  readonly now: Date;
}

/** `same`: it was there. `replaced`: another of that id was. */
export interface Installed {
  readonly kind: "new" | "same" | "replaced";
  readonly entry: StoredUpdate;
}

/** The updates in service, by the kernel that they are for: `/var/lib/ksplice/RELEASE/`. */
export class UpdateStore {
  constructor(readonly place: Place) {}

  /** Those that the store has something for, sorted. */
  async releases(): Promise<string[]> {
    try {
      const entries = await readdir(storeDir(this.place), { withFileTypes: true });
      return entries.flatMap((entry) => (entry.isDirectory() && RELEASE_PATTERN.test(entry.name) ? [entry.name] : [])).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  /** In the order in which they are applied. @throws Refusal `damaged-store`, `untrusted-path` */
  async list(release: string): Promise<readonly StoredUpdate[]> {
    return (await this.#read(release)).updates;
  }

  /** When the newest update of an id was made that ever was here; undefined where none was. */
  async newestSeen(release: string, id: string): Promise<string | undefined> {
    return (await this.#read(release)).seen.find((entry) => entry.id === id)?.created;
  }

  /** The release that has an update. @throws Refusal `not-in-store`, `several-releases` */
  async releaseOf(id: string, release?: string): Promise<string> {
    const known: string[] = [];
    const having: string[] = [];
    for (const each of await this.releases()) {
      const ids = (await this.list(each)).map((entry) => entry.id);
      known.push(...ids);
      if (ids.includes(id) && (release === undefined || release === each)) having.push(each);
    }
    const [only, ...more] = having;
    if (only === undefined) throw notInStore(id, [...new Set(known)].sort());
    if (more.length > 0) throw severalReleases(id, having);
    return only;
  }

  /** Reads an update out of the store, once, and checks it. @throws Refusal `damaged-store`, `bad-update` */
  async open(release: string, entry: StoredUpdate): Promise<Incoming> {
    const path = this.#tarball(release, entry);
    const tarball = await readTrustedIfThere(path, this.place);
    if (tarball === undefined) throw damagedStore(path, "it is not there, and the index has it");
    if (sha256(tarball) !== entry.sha256) throw damagedStore(path, "it is not what was installed: wrong SHA-256");
    const update = await openUpdateBytes(tarball, path);
    const signature = await readTrustedIfThere(`${path}.sig`, this.place);
    return { tarball, update, ...(signature === undefined ? {} : { signature }) };
  }

  /**
   * Puts an update in service. The index is written last: until then it is not there, and after that it is, whole.
   * @throws Refusal `needs-missing`, `older-update`, `needed-by`, `bad-release`
   */
  async install(incoming: Incoming, options: InstallOptions): Promise<Installed> {
    const { id, kernel } = incoming.update.manifest;
    const { kind, entry, old } = await this.#change<Installed & { readonly old?: StoredUpdate }>(kernel.release, async (index) => {
      const known = index.updates.find((entry) => entry.id === id);
      const entry = describe(incoming, options);
      if (known?.sha256 === entry.sha256 && known.partial === entry.partial) return { index, result: { kind: "same", entry: known } };
      if (known?.sha256 !== entry.sha256) requireInstallable(index, entry, options);
      const path = this.#tarball(kernel.release, entry);
      await writeDurably(path, incoming.tarball, this.place);
      if (incoming.signature === undefined) await removeDurably(`${path}.sig`);
      else await writeDurably(`${path}.sig`, incoming.signature, this.place);
      const updates = known === undefined ? [...index.updates, entry] : index.updates.map((other) => (other === known ? entry : other));
      const result = known === undefined ? ({ kind: "new", entry } as const) : ({ kind: "replaced", entry, old: known } as const);
      return { index: remember({ ...index, updates }, entry), result };
    });
    if (old !== undefined && old.sha256 !== entry.sha256) await this.#delete(kernel.release, old);
    return { kind, entry };
  }

  /** Takes an update out of service. @throws Refusal `not-in-store`, `needed-by` */
  async remove(release: string, id: string): Promise<StoredUpdate> {
    const removed = await this.#change(release, async (index) => {
      const entry = requireEntry(index, id);
      const dependents = index.updates.filter(({ needs }) => needs.includes(id)).map((other) => other.id);
      if (dependents.length > 0) throw neededBy(id, dependents);
      return await Promise.resolve({ index: { ...index, updates: index.updates.filter((other) => other !== entry) }, result: entry });
    });
    await this.#delete(release, removed);
    return removed;
  }

  /** Changes what is noted of an update. @throws Refusal `not-in-store` */
  async note(release: string, id: string, change: (entry: StoredUpdate) => StoredUpdate): Promise<StoredUpdate> {
    return await this.#change(release, async (index) => {
      const entry = requireEntry(index, id);
      const changed = change(entry);
      const updates = index.updates.map((other) => (other === entry ? changed : other));
      return await Promise.resolve({ index: { ...index, updates }, result: changed });
    });
  }

  async #change<T>(
    release: string,
    change: (index: StoreIndex) => Promise<{ readonly index: StoreIndex; readonly result: T }>,
  ): Promise<T> {
    if (!RELEASE_PATTERN.test(release)) throw badRelease(release);
    await makePrivateDirectory(join(storeDir(this.place), release), this.place);
    return await withStoreLock(this.place, async () => {
      const before = await this.#read(release);
      const { index, result } = await change(before);
      if (index !== before) await writeDurably(this.#index(release), `${JSON.stringify(index, undefined, 2)}\n`, this.place);
      return result;
    });
  }

  async #read(release: string): Promise<StoreIndex> {
    if (!RELEASE_PATTERN.test(release)) throw badRelease(release);
    const path = this.#index(release);
    const bytes = await readTrustedIfThere(path, this.place);
    if (bytes === undefined) return { format: 1, release, updates: [], seen: [] };
    let json: unknown;
    try {
      json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch (error) {
      throw damagedStore(path, error instanceof Error ? error.message : String(error));
    }
    const parsed = storeIndexSchema.safeParse(json);
    if (!parsed.success) throw damagedStore(path, z.prettifyError(parsed.error).replaceAll("\n", "; "));
    if (parsed.data.release !== release) throw damagedStore(path, `it is that of ${parsed.data.release}`);
    return parsed.data;
  }

  #index(release: string): string {
    return join(storeDir(this.place), release, "index.json");
  }

  /** By its content too: one that comes in place of another leaves that alone until the index names the new one. */
  #tarball(release: string, { id, sha256: hash }: StoredUpdate): string {
    return join(storeDir(this.place), release, `${id}-${hash.slice(0, 16)}.tar.gz`);
  }

  async #delete(release: string, entry: StoredUpdate): Promise<void> {
    const path = this.#tarball(release, entry);
    await removeDurably(path);
    await removeDurably(`${path}.sig`);
  }
}

function describe({ tarball, update, signer }: Incoming, { partial, now }: InstallOptions): StoredUpdate {
  const { id, description, created, after, cves, effective, targets } = update.manifest;
  return {
    ...{ id, description, created, installed: now.toISOString(), sha256: sha256(tarball), needs: [...after], cves: [...cves] },
    ...(effective === undefined ? {} : { effective }),
    targets: targets.map(({ name }) => name),
    // What must be applied as a whole waits for its modules, whatever was asked.
    partial: partial && mayBePartial(update.manifest),
    ...(signer === undefined ? {} : { signer }),
    proven: false,
  };
}

function requireInstallable({ updates, seen, release }: StoreIndex, entry: StoredUpdate, { allowOlder }: InstallOptions): void {
  const { id, created, needs } = entry;
  const position = updates.findIndex((other) => other.id === id);
  const before = position < 0 ? updates : updates.slice(0, position);
  const missing = needs.filter((needed) => !before.some((other) => other.id === needed));
  if (missing.length > 0) throw needsMissing(id, release, missing);
  const dependents = updates.filter((other) => other.needs.includes(id)).map((other) => other.id);
  if (dependents.length > 0) throw neededBy(id, dependents);
  const newest = seen.find((other) => other.id === id);
  if (newest !== undefined && Date.parse(created) < Date.parse(newest.created) && !allowOlder)
    throw olderUpdate(id, created, newest.created);
}

function remember(index: StoreIndex, { id, created, sha256: hash }: StoredUpdate): StoreIndex {
  const known = index.seen.find((entry) => entry.id === id);
  if (known !== undefined && Date.parse(known.created) > Date.parse(created)) return index;
  return { ...index, seen: [...index.seen.filter((entry) => entry !== known), { id, created, sha256: hash }] };
}

function requireEntry({ updates }: StoreIndex, id: string): StoredUpdate {
  const entry = updates.find((other) => other.id === id);
  if (entry === undefined)
    throw notInStore(
      id,
      updates.map((other) => other.id),
    );
  return entry;
}
