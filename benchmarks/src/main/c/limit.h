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

/* The mean of as many as fit. The clock is asked after eight quick ones, so that asking is not measured. */
__attribute__((unused)) static long mean(void (*operate)(void), long milliseconds) {
    long begin = now(), end = begin, count = 0;
    while (end - begin < milliseconds * 1000000) {
        for (int i = end - begin < 100000 * count ? 8 : 1; i > 0; i--, count++)
            operate();
        end = now();
    }
    return (end - begin) / count;
}

/* The same of an operation that has to be prepared, which is not measured. */
__attribute__((unused)) static long prepared(void (*prepare)(void), void (*operate)(void), long milliseconds) {
    long begin = now(), total = 0, count = 0;
    while (now() - begin < milliseconds * 1000000) {
        prepare();
        long start = now();
        operate();
        total += now() - start;
        count++;
    }
    return total / count;
}
