/** What dpkg runs: as debhelper would have it for a unit that is enabled, and is not restarted by an upgrade. */

const UNITS = ["ksplice-guard.service", "ksplice.service"];

const POSTINST = `#!/bin/sh
set -e
case "$1" in
configure|abort-upgrade|abort-deconfigure|abort-remove)
	# An operator who has disabled one meant it.
	for unit in ${UNITS.join(" ")}; do
		deb-systemd-helper unmask $unit >/dev/null || true
		if deb-systemd-helper --quiet was-enabled $unit; then
			deb-systemd-helper enable $unit >/dev/null || true
		else
			deb-systemd-helper update-state $unit >/dev/null || true
		fi
	done
	if [ -d /run/systemd/system ]; then
		systemctl --system daemon-reload >/dev/null || true
		deb-systemd-invoke start ${UNITS.join(" ")} >/dev/null || true
	fi
	;;
esac
`;

/**
 * Stopping the unit forgets the crash guard's marks, so that nothing is left to do for the timers that would take them away; updates that are applied stay in the
 * kernel.
 */
const PRERM = `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	deb-systemd-invoke stop ${UNITS.join(" ")} >/dev/null || true
	systemctl stop 'ksplice-well*.timer' >/dev/null 2>&1 || true
fi
`;

/** The store goes with a purge, and so does what is true until the next boot only. */
const POSTRM = `#!/bin/sh
set -e
if [ "$1" = remove ]; then
	rm -f /run/motd.d/ksplice
	if [ -d /run/systemd/system ]; then
		systemctl --system daemon-reload >/dev/null || true
	fi
fi
if [ "$1" = purge ]; then
	rm -rf /run/ksplice /var/lib/ksplice /etc/ksplice
	if command -v deb-systemd-helper >/dev/null; then
		deb-systemd-helper purge ${UNITS.join(" ")} >/dev/null || true
	fi
fi
`;

export const MAINTAINER_SCRIPTS: Readonly<Record<string, string>> = { postinst: POSTINST, prerm: PRERM, postrm: POSTRM };
