/* Closes a range of descriptor numbers of which some are open: sweep range|loop|proc NUMBERS OPEN
   MILLISECONDS. With close_range, with a close of each number, or of each that /proc/self/fd lists. */
#include "limit.h"
#include <dirent.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* As in SweepBenchmark: what a sweep takes depends on the size of the table behind it. */
enum { FIRST = 256 };

static int numbers, open_numbers;

static void fill(void) {
    for (int i = 0; i < open_numbers; i++)
        if (dup2(0, FIRST + i) < 0)
            err(1, "dup2");
}

static void range(void) {
    if (close_range(FIRST, FIRST + numbers - 1, 0))
        err(1, "close_range");
}

static void loop(void) {
    for (int number = FIRST; number < FIRST + numbers; number++)
        close(number);
}

static void proc(void) {
    DIR *listing = opendir("/proc/self/fd");
    struct dirent *entry;
    while ((entry = readdir(listing))) {
        int number = atoi(entry->d_name);
        if (number >= FIRST && number != dirfd(listing))
            close(number);
    }
    closedir(listing);
}

int main(int argc, char **argv) {
    if (argc != 5)
        errx(64, "usage: sweep range|loop|proc NUMBERS OPEN MILLISECONDS");
    numbers = atoi(argv[2]);
    open_numbers = atoi(argv[3]);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    void (*way)(void) = !strcmp(argv[1], "range") ? range : !strcmp(argv[1], "loop") ? loop : proc;
    printf("%ld\n", median(fill, way, atol(argv[4])));
}
