/*
 * One step of the core, of which the Nth allocation fails (Documentation/fault-injection in Linux 6.12):
 *   fail-nth N load FILE [PARAMETERS] | fail-nth N unload NAME | fail-nth N write FILE TEXT
 * Says "failed" or "missed", which is whether there was an Nth allocation, and then what came of the step: "done", or the error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int must(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(2);
	}
	return result;
}

int main(int argc, char **argv)
{
	char number[32] = "";
	const char *step = argc > 3 ? argv[2] : "", *text = argc > 4 ? argv[4] : "";
	int nth, error, is_unload = !strcmp(step, "unload"), is_load = !strcmp(step, "load");
	int file = -1;
	long result;

	if (!is_unload)
		file = must(open(argv[3], is_load ? O_RDONLY : O_WRONLY), argv[3]);
	nth = must(open("/proc/self/fail-nth", O_RDWR), "fail-nth");
	must(pwrite(nth, argv[1], strlen(argv[1]), 0), "fail-nth");
	if (is_load)
		result = syscall(SYS_finit_module, file, text, 0);
	else if (is_unload)
		result = syscall(SYS_delete_module, argv[3], O_NONBLOCK);
	else
		result = write(file, text, strlen(text));
	error = errno;
	must(pread(nth, number, sizeof(number) - 1, 0), "fail-nth");
	/* Nothing of what follows is to fail. */
	must(pwrite(nth, "0", 1, 0), "fail-nth");
	printf("%s %s\n", atoi(number) ? "missed" : "failed", result < 0 ? strerror(error) : "done");
	return 0;
}
