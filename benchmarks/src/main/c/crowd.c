// Makes a machine busy in the kernel's lists, and idle again:
//   crowd begin DIRECTORY PROCESSES LOCKS   starts processes, and takes record locks
//   crowd end DIRECTORY                     ends them, and waits until they are gone
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOCKS_OF_A_FILE = 1000, PATH = 4096 };

static void check(long result, const char *what)
{
    if (result < 0) {
        perror(what);
        exit(1);
    }
}

static void name(char *path, const char *directory, const char *file, long number)
{
    snprintf(path, PATH, "%s/%s%ld", directory, file, number);
}

// From the end to the beginning: the kernel's list of a file is sorted, and each lock goes to its front.
static void lock(const char *directory, long locks)
{
    char path[PATH];
    int fd = -1;
    for (long i = 0; i < locks; i++) {
        if (i % LOCKS_OF_A_FILE == 0) {
            name(path, directory, "locked", i / LOCKS_OF_A_FILE);
            fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
            check(fd, path);
        }
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
        lock.l_start = 2 * (LOCKS_OF_A_FILE - i % LOCKS_OF_A_FILE);
        check(fcntl(fd, F_SETLK, &lock), "fcntl");
    }
}

static void begin(const char *directory, long processes, long locks)
{
    int ready[2];
    check(pipe(ready), "pipe");
    pid_t leader = fork();
    check(leader, "fork");
    if (leader > 0) {
        close(ready[1]);
        // Each of them, the leader too: what has not run yet would take the processors from what is measured.
        for (long i = 0; i <= processes; i++) {
            char byte;
            if (read(ready[0], &byte, 1) != 1) {
                exit(1);
            }
        }
        char path[PATH];
        name(path, directory, "crowd", 0);
        FILE *file = fopen(path, "w");
        check(file == NULL ? -1 : 0, path);
        fprintf(file, "%d\n", leader);
        check(fclose(file), path);
        return;
    }
    check(setsid(), "setsid");
    close(ready[0]);
    int null = open("/dev/null", O_RDWR);
    check(null, "/dev/null");
    for (int fd = 0; fd < 3; fd++) {
        check(dup2(null, fd), "dup2");
    }
    close(null);
    lock(directory, locks);
    for (long i = 0; i < processes; i++) {
        pid_t child = fork();
        if (child == 0) {
            if (write(ready[1], "", 1) != 1) {
                _exit(1);
            }
            close(ready[1]);
            for (;;) {
                pause();
            }
        }
        if (child < 0) {
            kill(0, SIGKILL);
        }
    }
    check(write(ready[1], "", 1), "write");
    for (;;) {
        pause();
    }
}

static void end(const char *directory)
{
    char path[PATH];
    name(path, directory, "crowd", 0);
    FILE *file = fopen(path, "r");
    int leader = 0;
    if (file == NULL || fscanf(file, "%d", &leader) != 1 || leader < 2) {
        return;
    }
    fclose(file);
    unlink(path);
    while (kill(-leader, SIGKILL) == 0 || errno != ESRCH) {
        usleep(50000);
    }
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "begin") == 0) {
        begin(argv[2], atol(argv[3]), atol(argv[4]));
    } else if (argc == 3 && strcmp(argv[1], "end") == 0) {
        end(argv[2]);
    } else {
        return 64;
    }
    return 0;
}
