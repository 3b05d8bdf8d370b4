import { expect, test } from "vitest";
import { journalFields, MESSAGE_IDS } from "../../../src/service/audit.js";

test("an event is fields of the journal, and no text of others becomes one", () => {
  const event = {
    what: "failed",
    message: "update x was not applied\nMESSAGE_ID=0",
    id: "x",
    release: "6.1",
    code: "no-match",
    cves: ["CVE-2026-1234", "CVE-2026-1235"],
  } as const;
  expect(journalFields(event)).toBe(
    [
      "MESSAGE=update x was not applied MESSAGE_ID=0",
      `MESSAGE_ID=${MESSAGE_IDS.failed}`,
      "PRIORITY=4",
      "SYSLOG_IDENTIFIER=ksplice",
      "KSPLICE_EVENT=failed",
      "KSPLICE_UPDATE=x",
      "KSPLICE_RELEASE=6.1",
      "KSPLICE_CODE=no-match",
      "KSPLICE_CVE=CVE-2026-1234",
      "KSPLICE_CVE=CVE-2026-1235",
      "",
    ].join("\n"),
  );
});

test("each kind of event has an id of its own", () => {
  const ids = Object.values(MESSAGE_IDS);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
