/* Threads that sleep, each in one of several system calls: sleeping-threads NUMBER. Says "ready" when all do. */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

/* The smallest that the library takes, and more of them than fit in memory otherwise. */
#define STACK 16384

static int pipes[2];
static int epoll;
static sem_t never;

static void *sleep_in(void *kind)
{
	struct pollfd poll_set = { .fd = pipes[0], .events = POLLIN };
	struct timespec long_time = { .tv_sec = 1000000 };
	struct epoll_event event;
	fd_set set;
	char byte;

	switch ((long)kind) {
	case 0:
		nanosleep(&long_time, NULL);
		break;
	case 1:
		poll(&poll_set, 1, -1);
		break;
	case 2:
		if (read(pipes[0], &byte, 1) < 0)
			perror("read");
		break;
	case 3:
		sem_wait(&never);
		break;
	case 4:
		epoll_wait(epoll, &event, 1, -1);
		break;
	default:
		FD_ZERO(&set);
		FD_SET(pipes[0], &set);
		select(pipes[0] + 1, &set, NULL, NULL, NULL);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 0;
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	if (pipe(pipes) || (epoll = epoll_create1(0)) < 0 || sem_init(&never, 0, 0))
		return 1;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (long i = 0; i < count; i++) {
		error = pthread_create(&thread, &attr, sleep_in, (void *)(i % 6));
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
