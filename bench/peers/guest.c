/*
 * Runs in the machine that is patched:
 *   guest calls COUNT    calls getrlimit of a limit that does not exist: prints the error, and what COUNT calls took, several times
 *   guest threads COUNT  sleeps in so many threads, in system calls of several kinds; prints "ready" once they do
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 25
#define NO_SUCH_LIMIT 99
/* The smallest that the library takes. */
#define STACK 16384

static int pipes[2];
static sem_t never;

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void calls(long count)
{
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
}

static void *sleep_somehow(void *kind)
{
	struct pollfd readable = { .fd = pipes[0], .events = POLLIN };
	struct timespec long_time = { .tv_sec = 1000000 };
	char byte;

	switch ((long)kind) {
	case 0:
		nanosleep(&long_time, NULL);
		break;
	case 1:
		poll(&readable, 1, -1);
		break;
	case 2:
		if (read(pipes[0], &byte, 1) < 0)
			perror("read");
		break;
	default:
		sem_wait(&never);
	}
	return NULL;
}

static int threads(long count)
{
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	if (pipe(pipes) || sem_init(&never, 0, 0))
		return 1;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (long i = 0; i < count; i++) {
		error = pthread_create(&thread, &attr, sleep_somehow, (void *)(i % 4));
		if (error) {
			fprintf(stderr, "thread %ld: error %d\n", i, error);
			return 1;
		}
	}
	sleep(1);
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	long count = argc > 2 ? atol(argv[2]) : 0;

	if (argc > 1 && strcmp(argv[1], "threads") == 0)
		return threads(count);
	calls(count);
	return 0;
}
