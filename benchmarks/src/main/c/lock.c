/* Takes and releases a lock on a file, the path checked against the descriptor: lock PATH
   MILLISECONDS. With "contended" as a third word another process does the same meanwhile;
   "lock PATH 0" is that process, which goes on until its parent ends. */
#include "limit.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *path;

static int try(void) {
    struct stat opened, named;
    int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    if (file < 0 || fstat(file, &opened))
        err(1, "%s", path);
    int taken = flock(file, LOCK_EX | LOCK_NB) == 0;
    if (!taken && errno != EWOULDBLOCK)
        err(1, "flock");
    if (taken && (lstat(path, &named) || named.st_ino != opened.st_ino || named.st_dev != opened.st_dev))
        errx(1, "%s was replaced", path);
    close(file);
    return taken;
}

static void lock(void) {
    while (!try())
        ;
}

static void contend(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        lock();
}

int main(int argc, char **argv) {
    if (argc < 3)
        errx(64, "usage: lock PATH MILLISECONDS [contended]");
    path = argv[1];
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    if (atol(argv[2]) == 0)
        contend();
    pid_t other = argc == 4 ? fork() : -1;
    if (other == 0)
        contend();
    /* The one that comes second makes the mean, and not the median. */
    printf("%ld\n", argc == 4 ? mean(lock, atol(argv[2])) : median(NULL, lock, atol(argv[2])));
    if (other > 0) {
        kill(other, SIGKILL);
        waitpid(other, NULL, 0);
    }
}
