import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { Place } from "./place.js";

/** Something that was done to this kernel or to the store, for whoever asks later who did what when. */
export interface AuditEvent {
  readonly what: keyof typeof MESSAGE_IDS;
  readonly message: string;
  readonly id?: string;
  readonly release?: string;
  readonly sha256?: string | undefined;
  readonly signer?: string | undefined;
  readonly cves?: readonly string[];
  /** Of a refusal. */
  readonly code?: string;
}

export type Audit = (event: AuditEvent) => Promise<void>;

/** By which the journal finds all events of one kind: `journalctl MESSAGE_ID=…`. They never change. */
export const MESSAGE_IDS = {
  applied: "c4d1b1b5f6f04c0b8a7c0f6d2f5f0a01",
  undone: "c4d1b1b5f6f04c0b8a7c0f6d2f5f0a02",
  failed: "c4d1b1b5f6f04c0b8a7c0f6d2f5f0a03",
  installed: "c4d1b1b5f6f04c0b8a7c0f6d2f5f0a04",
  removed: "c4d1b1b5f6f04c0b8a7c0f6d2f5f0a05",
  held: "c4d1b1b5f6f04c0b8a7c0f6d2f5f0a06",
  cleared: "c4d1b1b5f6f04c0b8a7c0f6d2f5f0a07",
  confirmed: "c4d1b1b5f6f04c0b8a7c0f6d2f5f0a08",
} as const;

const WARNINGS: ReadonlySet<string> = new Set(["failed", "held"]);

/** The fields of an event as the journal takes them, a line each. */
export function journalFields({ what, message, id, release, sha256, signer, cves = [], code }: AuditEvent): string {
  const fields: (readonly [name: string, value: string | undefined])[] = [
    ["MESSAGE", message],
    ["MESSAGE_ID", MESSAGE_IDS[what]],
    ["PRIORITY", WARNINGS.has(what) ? "4" : "5"],
    ["SYSLOG_IDENTIFIER", "ksplice"],
    ["KSPLICE_EVENT", what],
    ["KSPLICE_UPDATE", id],
    ["KSPLICE_RELEASE", release],
    ["KSPLICE_SHA256", sha256],
    ["KSPLICE_SIGNER", signer],
    ["KSPLICE_CODE", code],
    ...cves.map((cve) => ["KSPLICE_CVE", cve] as const),
  ];
  // A value ends with its line, so that nobody's text becomes a field of ours.
  return fields.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value.replaceAll(/[\s\p{Cc}]+/gu, " ")}\n`])).join("");
}

/**
 * Writes events to the journal, else to syslog, where there is either. logger(1) speaks to both; Node has no datagram sockets of the file system. The journal adds who
 * it was by itself: `_UID`, `_AUDIT_LOGINUID`, `_SYSTEMD_UNIT`. An event that cannot be written stops nothing.
 */
export function systemAudit({ root }: Place): Audit {
  return async (event) => {
    const hasJournal = existsSync(join(root, "run/systemd/journal/socket"));
    if (root !== "/" || (!hasJournal && !existsSync("/dev/log"))) return;
    const options = hasJournal
      ? ["--journald"]
      : ["--tag", "ksplice", "--id", "--priority", WARNINGS.has(event.what) ? "warning" : "notice"];
    const { id, release } = event;
    const line = `${event.message}${[id && ` update=${id}`, release && ` release=${release}`].filter(Boolean).join("")}\n`;
    await execa("logger", options, { input: hasJournal ? journalFields(event) : line, reject: false, timeout: 5000 });
  };
}
