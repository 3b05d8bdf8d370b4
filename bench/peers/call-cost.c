/* call-cost COUNT: calls getrlimit of a limit that does not exist; prints the error, and what COUNT calls took, several times. Nanoseconds. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 25
#define NO_SUCH_LIMIT 99

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 0;
	long long started;
	char value[16];

	syscall(SYS_getrlimit, NO_SUCH_LIMIT, value);
	printf("%d", errno);
	for (int round = 0; round < ROUNDS; round++) {
		started = now_ns();
		for (long i = 0; i < count; i++)
			syscall(SYS_getrlimit, NO_SUCH_LIMIT, value);
		printf(" %lld", now_ns() - started);
	}
	putchar('\n');
	return 0;
}
