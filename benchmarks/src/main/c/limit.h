/* What every limit has in common: it makes the same system calls as Daimon, in plain C, for some
   time, and prints the nanoseconds of one operation. */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

static int compare(const void *a, const void *b) {
    long difference = *(const long *)a - *(const long *)b;
    return (difference > 0) - (difference < 0);
}

/* The median of as many as fit, timed one by one as JMH does it. What prepares each of them is not
   measured, and may be null. */
__attribute__((unused)) static long median(void (*prepare)(void), void (*operate)(void), long milliseconds) {
    size_t count = 0, size = 1 << 16;
    long *times = malloc(size * sizeof *times), begin = now();
    do {
        if (prepare)
            prepare();
        if (count == size)
            times = realloc(times, (size *= 2) * sizeof *times);
        long start = now();
        operate();
        times[count++] = now() - start;
    } while (now() - begin < milliseconds * 1000000);
    qsort(times, count, sizeof *times, compare);
    return times[count / 2];
}

/* The mean of as many as fit. */
__attribute__((unused)) static long mean(void (*operate)(void), long milliseconds) {
    long begin = now(), end, count = 0;
    do {
        operate();
        count++;
        end = now();
    } while (end - begin < milliseconds * 1000000);
    return (end - begin) / count;
}
