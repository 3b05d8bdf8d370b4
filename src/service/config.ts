import { join } from "node:path";
import { Refusal } from "../diagnostics.js";
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
}

type Values = ReadonlyMap<string, string>;

const KEYS = ["require-signature", "allowed-signers", "revoked-keys", "signers", "kernels", "prometheus"] as const;

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
  };
}

function parse(text: string, path: string): Values {
  const values = new Map<string, string>();
  text.split("\n").forEach((line, index) => {
    if (/^\s*(#|$)/.test(line)) return;
    const [, key = "", value = ""] = /^\s*([a-z-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    const place = `${path}:${index + 1}`;
    if (!KEYS.some((known) => known === key)) throw badConfig(place, `there is no ${JSON.stringify(key === "" ? line.trim() : key)}`);
    if (values.has(key)) throw badConfig(place, `${key} is said twice`);
    if (value === "") throw badConfig(place, `${key} has no value`);
    values.set(key, value);
  });
  return values;
}

function yesOrNo(values: Values, key: (typeof KEYS)[number], path: string): boolean {
  const value = values.get(key) ?? "no";
  if (value !== "yes" && value !== "no") throw badConfig(path, `${key} is ${JSON.stringify(value)}, and not yes or no`);
  return value === "yes";
}

function listOf(values: Values, key: (typeof KEYS)[number]): string[] {
  return (values.get(key) ?? "*").split(/[\s,]+/).filter((each) => each !== "");
}

const badConfig = (place: string, reason: string): Refusal =>
  new Refusal({
    code: "bad-config",
    message: `${place}: ${reason}`,
    location: place,
    hint: `known are: ${KEYS.join(", ")}; docs/operations.md says what they mean`,
  });
