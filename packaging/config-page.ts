import { CONFIG_KEYS, type ConfigKey } from "../src/service/config.js";
import { escape, type ManPageFacts } from "./man-page.js";

/** What each key takes, and what it means: one that is not here does not compile. */
const MEANINGS: Readonly<Record<ConfigKey, readonly [value: string, meaning: string]>> = {
  "require-signature": [
    "yes|no",
    "yes: nothing is installed or applied, by hand or at boot, without a good signature; an unpacked tree has none. Default: no; a signature that does not count is said then.",
  ],
  "allowed-signers": [
    "FILE",
    "Who may sign: lines PRINCIPAL KEY, as ssh-keygen(1) has them under ALLOWED SIGNERS. Default: /etc/ksplice/allowed_signers.",
  ],
  "revoked-keys": ["FILE", "Keys that were withdrawn, as ssh-keygen -Y verify -r takes them. They do not count at the next boot either."],
  signers: ["PATTERN...", "Of the principals that may sign, those who may for this machine; with * and ?. Default: all."],
  kernels: ["PATTERN...", "Releases of kernels that updates are taken for; with * and ?. Default: all."],
  prometheus: ["FILE", "Where the figures for Prometheus go, after each change. Default: nowhere."],
  "well-after": [
    "TIME",
    "How long the machine must be well with an update until the crash guard takes its mark away: 90s, 10m, 1h; 10s at least. Default: 5m.",
  ],
  "stop-limit": [
    "MILLISECONDS",
    "How long threads are looked at while the machine is stopped, at most, at boot and where no --stop-limit says it. Default: 10.",
  ],
  "module-key": ["FILE", "What modules are signed with, for a kernel that loads no others: a key in PEM, root's."],
  "module-certificate": ["FILE", "Its certificate, PEM or DER, which the kernel must know."],
  "module-signer": [
    "COMMAND",
    "A shell command that signs them instead: it gets the module on standard input, and gives a detached PKCS#7 signature in DER on standard output.",
  ],
};

/** ksplice.conf(5). */
export function configPage({ version, date }: ManPageFacts): string {
  const lines = [
    `.TH KSPLICE.CONF 5 ${date.toISOString().slice(0, 10)} "ksplice ${escape(version)}" "File Formats"`,
    ".SH NAME",
    "ksplice.conf \\- which updates of the running kernel this machine takes",
    ".SH SYNOPSIS",
    ".I /etc/ksplice/ksplice.conf",
    ".SH DESCRIPTION",
    "Lines \\fIKEY\\fR = \\fIVALUE\\fR; lines that begin with # are comments. The file need not be there. It must be root\\(aqs, and nobody else may write to it or to the directories above it. What it does not know it refuses, and so does everything that would bring code into the kernel; an undo goes on with the defaults.",
    ".SH KEYS",
    ...CONFIG_KEYS.flatMap((key) => {
      const [value, meaning] = MEANINGS[key];
      return [".TP", `\\fB${escape(key)}\\fR = \\fI${escape(value)}\\fR`, escape(meaning)];
    }),
    ".SH FILES",
    ...[
      ["/etc/ksplice/disabled", "Where it is there, no update is applied at boot."],
      ["/etc/ksplice/allowed_signers", "Who may sign, unless the configuration names another file."],
      ["/var/lib/ksplice", "The store: the updates in service, for each release of the kernel."],
      ["/run/ksplice", "What is known of this boot."],
    ].flatMap(([path = "", meaning = ""]) => [".TP", `\\fI${escape(path)}\\fR`, escape(meaning)]),
    ".SH SEE ALSO",
    "\\fBksplice\\fR(1),\n\\fBksplice\\-install\\fR(1),\n\\fBksplice\\-service\\fR(1),\n\\fBksplice\\-verify\\-signature\\fR(1),\n\\fBssh\\-keygen\\fR(1)",
  ];
  return `${lines.join("\n")}\n`;
}
