/* Gives programs another time of day than the kernel's: so many seconds more as the file says that
 * TEST_CLOCK_FILE names, `+0`, `-3600` or with the unit of days `+400d`. What a file that is just being
 * written holds not yet is what it held before. Clocks that only go on, sleeps and the times of files stay
 * the kernel's, as where somebody sets a machine's clock. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LOOKS_EVERY_NS 20000000LL

static int (*kernels)(clockid_t, struct timespec *);
static const char *file;
static _Atomic long long offset, looked;

__attribute__((constructor)) static void find(void)
{
    kernels = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    file = getenv("TEST_CLOCK_FILE");
}

static long long seconds(void)
{
    struct timespec since;
    char text[32], *end;
    kernels(CLOCK_MONOTONIC_COARSE, &since);
    long long now = since.tv_sec * 1000000000LL + since.tv_nsec;
    if (file == NULL || now - atomic_load(&looked) < LOOKS_EVERY_NS)
        return atomic_load(&offset);
    atomic_store(&looked, now);
    int opened = open(file, O_RDONLY | O_CLOEXEC);
    if (opened < 0)
        return atomic_load(&offset);
    ssize_t size = read(opened, text, sizeof text - 1);
    close(opened);
    text[size > 0 ? size : 0] = 0;
    long long number = strtoll(text, &end, 10);
    if (end != text)
        atomic_store(&offset, *end == 'd' ? number * 86400 : number);
    return atomic_load(&offset);
}

int clock_gettime(clockid_t clock, struct timespec *to)
{
    if (kernels == NULL)
        find();
    int failed = kernels(clock, to);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        to->tv_sec += seconds();
    return failed;
}

int gettimeofday(struct timeval *restrict to, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    to->tv_sec = now.tv_sec;
    to->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (to != NULL)
        *to = now.tv_sec;
    return now.tv_sec;
}
