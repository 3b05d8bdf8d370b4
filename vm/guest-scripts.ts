/**
 * The two programs that run inside the virtual machine before anything else does: the first process, which is
 * also the agent, and the one that runs a single command. Both are busybox shell scripts in the initramfs.
 *
 * The guest sees the host's files under /host (read-only), and every command runs with /host as its root directory.
 * The channel between host and guest: a directory of the host, mounted read-write at CHANNEL_DIR, holds a directory
 * a command with its script, output and exit status; lines of a word and a number on the second serial port say that
 * there is something to do or that it is done. Commands' output never passes through a terminal.
 */

/** Where a command sees the harness's own files. */
export const GUEST_DIR = "/run/ksplice-vm";
export const CHANNEL_DIR = `${GUEST_DIR}/channel`;
export const HOST_TAG = "host";
export const CHANNEL_TAG = "channel";
export const SHARE_TAG = "share";

/** busybox applets that the scripts use. */
export const APPLETS = [
  "cat", "chmod", "chroot", "cp", "dmesg", "echo", "hostname", "insmod", "ip", "kill", "ln", "mkdir", "mount", "mv", "poweroff", "setsid", "sh", "stty",
]; // prettier-ignore

/** Directories of the host that the guest has its own, empty ones of. */
const OWN_DIRECTORIES = ["/tmp", "/run", "/var/tmp", "/mnt"];

/** What the host has of ksplice is about its own kernel: its updates in service, and who may bring them. */
const OF_ITS_OWN_KERNEL = ["/var/lib/ksplice", "/etc/ksplice"];

/** Whether a path of the host lies under one of the guest's own directories, and so is not seen unless it is mounted there. */
export function isHidden(path: string): boolean {
  return OWN_DIRECTORIES.some((directory) => path.startsWith(`${directory}/`));
}

const MOUNT_9P = "mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576";

export interface GuestLayout {
  /** Modules of the initramfs (`/modules/NAME.ko`), in the order to load them. */
  readonly modules: readonly string[];
  /** A directory of the host that the guest may write, at the same path. */
  readonly share: string | undefined;
  /** Directories of the host that stay visible although they lie in one that is the guest's own ({@link isHidden}). */
  readonly expose: readonly string[];
}

/** /init of the initramfs. */
export function initScript(layout: GuestLayout): string {
  const { share } = layout;
  return `#!/bin/sh
export PATH=/bin
fail() { echo "ksplice-vm: $*"; poweroff -f; }
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
${layout.modules.map((name) => `insmod /modules/${name}.ko || fail "cannot load ${name}"`).join("\n")}
${MOUNT_9P},cache=loose,ro ${HOST_TAG} /host || fail "cannot mount the host's files"
${layout.expose.map((path, index) => `mkdir -p /expose/${index}; mount --bind ${quoteShell(`/host${path}`)} /expose/${index}`).join("\n")}
for dir in ${OWN_DIRECTORIES.join(" ")}; do mount -t tmpfs tmpfs /host$dir; done
chmod 1777 /host/tmp /host/var/tmp
for dir in ${OF_ITS_OWN_KERNEL.join(" ")}; do [ ! -d /host$dir ] || mount -t tmpfs -o mode=700 tmpfs /host$dir; done
mkdir -p /host${CHANNEL_DIR} /host${GUEST_DIR}/home /host/run/lock /host/tmp/home
${layout.expose.map((path, index) => `mkdir -p ${quoteShell(`/host${path}`)} 2>/dev/null; mount --bind /expose/${index} ${quoteShell(`/host${path}`)} || fail "cannot show ${path}"`).join("\n")}
${MOUNT_9P},cache=none,rw ${CHANNEL_TAG} /host${CHANNEL_DIR} || fail "cannot mount the channel"
ln -s /host${CHANNEL_DIR} /channel
cp /bin/busybox /host${GUEST_DIR}/busybox
${share === undefined ? "" : `mkdir -p ${quoteShell(`/host${share}`)} 2>/dev/null; ${MOUNT_9P},cache=none,rw ${SHARE_TAG} ${quoteShell(`/host${share}`)} || fail "cannot mount the share"`}
mount --bind /proc /host/proc
mount --bind /sys /host/sys
mount --bind /dev /host/dev
mkdir -p /host/dev/pts /host/dev/shm
mount -t devpts devpts /host/dev/pts
mount -t tmpfs tmpfs /host/dev/shm
mount -t debugfs debugfs /host/sys/kernel/debug
mount -t tracefs tracefs /host/sys/kernel/tracing
[ -e /host/dev/fd ] || ln -s /proc/self/fd /host/dev/fd
hostname ksplice-vm
ip link set lo up
dmesg -n 8
stty -F /dev/ttyS1 raw -echo
# The first process does nothing but wait, and so reaps what commands leave behind.
agent() {
	echo "ready 0" >/dev/ttyS1
	while read -r verb id; do
		case $verb in
		run) (setsid run-command "$id" </dev/null &) ;;
		kill) kill -KILL "-$(cat "/channel/$id/pid")" ;;
		off) poweroff -f ;;
		esac
	done
}
agent </dev/ttyS1 &
wait
fail "lost the channel"
`;
}

/** /bin/run-command of the initramfs: runs `/channel/ID/command` and reports. */
export function runCommandScript(): string {
  return `#!/bin/sh
dir=/channel/$1
echo $$ >"$dir/pid"
chroot /host /bin/sh "${CHANNEL_DIR}/$1/command" <"$dir/stdin" >"$dir/stdout" 2>"$dir/stderr"
echo $? >"$dir/exit"
echo "done $1" >/dev/ttyS1
`;
}

/** One word of a POSIX shell command line. */
export function quoteShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
