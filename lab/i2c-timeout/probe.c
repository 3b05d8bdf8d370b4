// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks an I2C adapter for a timeout of INT_MAX (in units of 10 ms), which overflows once it is
 * converted. Prints "accepted" if the kernel takes it, "EINVAL" (or another error's name) if not.
 * Usage: probe /dev/i2c-N. Needs the modules i2c-dev and, for a bus, i2c-stub.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/i2c-dev.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int bus = open(argc > 1 ? argv[1] : "/dev/i2c-0", O_RDWR);

	if (bus < 0) {
		perror("open");
		return 2;
	}
	if (ioctl(bus, I2C_TIMEOUT, (unsigned long)INT_MAX) < 0)
		puts(strerrorname_np(errno));
	else
		puts("accepted");
	close(bus);
	return 0;
}
