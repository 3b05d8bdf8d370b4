import { join } from "node:path";
import { Refusal } from "../diagnostics.js";
import type { Tell } from "../events.js";
import { parseDuration } from "./duration.js";
import { configDir, type Place } from "./place.js";
import { readTrustedIfThere } from "./trusted-files.js";

/** What `/etc/ksplice/ksplice.conf` says. */
export interface Config {
  /** Nothing without a signature is installed or applied. */
  readonly requireSignature: boolean;
  /** Who may sign what, as ssh-keygen(1) has it: PRINCIPALS OPTIONS KEY. */
  readonly allowedSigners: string;
  /** Keys that were withdrawn; undefined: none. */
  readonly revokedKeys: string | undefined;
  /** Principals of the file of signers that may sign for this machine; with `*` and `?`. */
  readonly signers: readonly string[];
  /** Releases of kernels that updates are taken for; with `*` and `?`. */
  readonly kernels: readonly string[];
  /** Where the figures for Prometheus go; undefined: nowhere. */
  readonly prometheus: string | undefined;
  readonly settings: Settings;
  /** What modules are signed with, for a kernel that wants that: files of a key and of its certificate. */
  readonly moduleKey: { readonly key: string; readonly certificate: string } | undefined;
  /** A shell command that signs them instead. */
  readonly moduleSigner: string | undefined;
}

/** What is no matter of trust. */
export interface Settings {
  /** How long a machine must be well with an update, until the crash guard takes its mark away. Seconds. */
  readonly wellAfter: number;
  /** How long threads are looked at while the machine is stopped, at most, where no option says it. Milliseconds; undefined: as the kernel part has it. */
  readonly stopLimit: number | undefined;
}

const DEFAULT_SETTINGS: Settings = { wellAfter: 300, stopLimit: undefined };
/** Less tells nothing: a machine takes as long to begin its work. Seconds. */
const LEAST_WELL_AFTER = 10;
/** A machine that stands still for longer is as good as down. Milliseconds. */
const MOST_STOP_LIMIT = 10_000;

type Values = ReadonlyMap<string, string>;

export const CONFIG_KEYS = [
  "require-signature",
  "allowed-signers",
  "revoked-keys",
  "signers",
  "kernels",
  "prometheus",
  "well-after",
  "stop-limit",
  "module-key",
  "module-certificate",
  "module-signer",
] as const;

export type ConfigKey = (typeof CONFIG_KEYS)[number];

/**
 * Lines `KEY = VALUE`; what begins with `#` is a comment. What it does not know it refuses: a policy that is misspelt is none.
 * @throws Refusal `bad-config`, `untrusted-path`
 */
export async function readConfig(place: Place): Promise<Config> {
  const path = join(configDir(place), "ksplice.conf");
  const bytes = await readTrustedIfThere(path, place);
  const values = parse(new TextDecoder().decode(bytes ?? new Uint8Array()), path);
  return {
    requireSignature: yesOrNo(values, "require-signature", path),
    allowedSigners: join(place.root, values.get("allowed-signers") ?? "etc/ksplice/allowed_signers"),
    revokedKeys: values.has("revoked-keys") ? join(place.root, values.get("revoked-keys") ?? "") : undefined,
    signers: listOf(values, "signers"),
    kernels: listOf(values, "kernels"),
    prometheus: values.has("prometheus") ? join(place.root, values.get("prometheus") ?? "") : undefined,
    settings: { wellAfter: wellAfter(values, path), stopLimit: stopLimit(values, path) },
    ...moduleSigning(values, place, path),
  };
}

/** The settings of a machine whose configuration may be spoilt: that must keep nobody from undoing an update. */
export async function settingsOf({ place, tell }: { readonly place: Place; readonly tell: Tell }): Promise<Settings> {
  try {
    return (await readConfig(place)).settings;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    tell("warning", `${error.message}; the defaults are taken`);
    return DEFAULT_SETTINGS;
  }
}

function parse(text: string, path: string): Values {
  const values = new Map<string, string>();
  text.split("\n").forEach((line, index) => {
    if (/^\s*(#|$)/.test(line)) return;
    const [, key = "", value = ""] = /^\s*([a-z-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    const place = `${path}:${index + 1}`;
    if (!CONFIG_KEYS.some((known) => known === key))
      throw badConfig(place, `there is no ${JSON.stringify(key === "" ? line.trim() : key)}`);
    if (values.has(key)) throw badConfig(place, `${key} is said twice`);
    if (value === "") throw badConfig(place, `${key} has no value`);
    values.set(key, value);
  });
  return values;
}

function yesOrNo(values: Values, key: ConfigKey, path: string): boolean {
  const value = values.get(key) ?? "no";
  if (value !== "yes" && value !== "no") throw badConfig(path, `${key} is ${JSON.stringify(value)}, and not yes or no`);
  return value === "yes";
}

function wellAfter(values: Values, path: string): number {
  const value = values.get("well-after");
  if (value === undefined) return DEFAULT_SETTINGS.wellAfter;
  const seconds = parseDuration(value) ?? 0;
  if (seconds < LEAST_WELL_AFTER)
    throw badConfig(path, `well-after is ${JSON.stringify(value)}, and not a time such as 90s or 5m, of ${LEAST_WELL_AFTER}s or more`);
  return seconds;
}

function stopLimit(values: Values, path: string): number | undefined {
  const value = values.get("stop-limit");
  if (value === undefined) return DEFAULT_SETTINGS.stopLimit;
  const limit = /^\d{1,6}$/.test(value) ? Number(value) : 0;
  if (limit < 1 || limit > MOST_STOP_LIMIT)
    throw badConfig(path, `stop-limit is ${JSON.stringify(value)}, and not a number of milliseconds from 1 to ${MOST_STOP_LIMIT}`);
  return limit;
}

function moduleSigning(values: Values, { root }: Place, path: string): Pick<Config, "moduleKey" | "moduleSigner"> {
  const [key, certificate, moduleSigner] = [values.get("module-key"), values.get("module-certificate"), values.get("module-signer")];
  if ((key === undefined) !== (certificate === undefined)) throw badConfig(path, "module-key and module-certificate go together");
  if (key !== undefined && moduleSigner !== undefined) throw badConfig(path, "it says both module-key and module-signer");
  const moduleKey =
    key === undefined || certificate === undefined ? undefined : { key: join(root, key), certificate: join(root, certificate) };
  return { moduleKey, moduleSigner };
}

function listOf(values: Values, key: ConfigKey): string[] {
  return (values.get(key) ?? "*").split(/[\s,]+/).filter((each) => each !== "");
}

const badConfig = (place: string, reason: string): Refusal =>
  new Refusal({
    code: "bad-config",
    message: `${place}: ${reason}`,
    location: place,
    hint: `known are: ${CONFIG_KEYS.join(", ")}; docs/operations.md says what they mean`,
  });
