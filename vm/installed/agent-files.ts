import { CHANNEL_DIR, CHANNEL_TAG, GUEST_DIR } from "../guest-scripts.js";

/**
 * The agent of a machine that boots a system of its own: a service of systemd, which speaks with the host as the one of guest-scripts.ts does. The module of the
 * file system that the channel is comes with Debian's kernels.
 */

const AGENT = "/usr/local/sbin/vm-agent";

const AGENT_SCRIPT = `#!/bin/sh
if [ $# -gt 0 ]; then
	dir=${CHANNEL_DIR}/$1
	echo $$ >"$dir/pid"
	sh "$dir/command" <"$dir/stdin" >"$dir/stdout" 2>"$dir/stderr"
	echo $? >"$dir/exit"
	echo "done $1" >/dev/ttyS1
	exit
fi
modprobe 9pnet_virtio && modprobe 9p || exit 1
mkdir -p ${CHANNEL_DIR} ${GUEST_DIR}/home /tmp/home
mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576,cache=none,rw ${CHANNEL_TAG} ${CHANNEL_DIR} || exit 1
stty -F /dev/ttyS1 raw -echo
agent() {
	echo "ready 0" >/dev/ttyS1
	while read -r verb id; do
		case $verb in
		# In a session of its own, so that it can be killed with what it has started.
		run) (setsid $0 "$id" </dev/null &) ;;
		kill) kill -KILL "-$(cat "${CHANNEL_DIR}/$id/pid")" ;;
		off) systemctl --no-block poweroff ;;
		esac
	done
}
# Open before it is said to be ready: what comes to a line that nobody has open is lost.
agent </dev/ttyS1
`;

const AGENT_UNIT = `[Unit]
Description=Runs commands of the machine's host

[Service]
ExecStart=${AGENT}
KillMode=process
OOMScoreAdjust=-900

[Install]
WantedBy=multi-user.target
`;

/** An emulated machine on a busy host takes minutes for what another does in seconds: nothing is given up for that. */
const PATIENT_SERVICES = `[Service]
TimeoutStartSec=1h
TimeoutStopSec=1h
`;
const PATIENT_MANAGER = `[Manager]
DefaultDeviceTimeoutSec=1h
DefaultTimeoutStartSec=1h
DefaultTimeoutStopSec=1h
`;

/** By path from the root of the system. */
export const AGENT_FILES: readonly { readonly path: string; readonly text: string; readonly mode: number }[] = [
  { path: AGENT, text: AGENT_SCRIPT, mode: 0o755 },
  { path: "/etc/systemd/system/vm-agent.service", text: AGENT_UNIT, mode: 0o644 },
  { path: "/etc/systemd/system/service.d/patient.conf", text: PATIENT_SERVICES, mode: 0o644 },
  { path: "/etc/systemd/system.conf.d/patient.conf", text: PATIENT_MANAGER, mode: 0o644 },
];

/** A link that has systemd start it. */
export const AGENT_LINK = { path: "/etc/systemd/system/multi-user.target.wants/vm-agent.service", target: "../vm-agent.service" };
