/* Writes a pidfile by way of a temporary file and a rename, or reads it until two reads agree:
   pidfile write|read PATH MILLISECONDS. */
#include "limit.h"
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *path;
static char temporary[PATH_MAX];

static void write_file(void) {
    char line[32];
    int length = snprintf(line, sizeof line, "%d\n", getpid());
    int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file < 0)
        err(1, "%s", temporary);
    if (fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 32) || pwrite(file, line, length, 0) != length || close(file) ||
        rename(temporary, path))
        err(1, "%s", path);
}

static void read_file(void) {
    char content[65], again[65];
    struct stat status;
    int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) || !S_ISREG(status.st_mode))
        err(1, "%s", path);
    ssize_t length = pread(file, content, sizeof content, 0);
    if (length < 2 || pread(file, again, sizeof again, 0) != length || memcmp(content, again, length))
        errx(1, "%s changes", path);
    content[length - 1] = 0;
    if (strtol(content, NULL, 10) < 1)
        errx(1, "%s holds no process id", path);
    close(file);
}

int main(int argc, char **argv) {
    if (argc != 4)
        errx(64, "usage: pidfile write|read PATH MILLISECONDS");
    path = argv[2];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    write_file();
    printf("%ld\n", median(NULL, strcmp(argv[1], "write") ? read_file : write_file, atol(argv[3])));
    unlink(path);
}
