/* Runs /bin/true and waits for its end, in each of three ways in turn, from a process of this
   resident size: fork MIB ROUNDS MILLISECONDS. Prints "WAY NANOSECONDS" each time. */
#include "limit.h"
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char *const arguments[] = {"/bin/true", NULL};

static void wait_for(pid_t child) {
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || status)
        err(1, "child");
}

static void with_fork(void) {
    pid_t child = fork();
    if (child == 0) {
        execve(arguments[0], arguments, environ);
        _exit(1);
    }
    wait_for(child);
}

static void with_vfork(void) {
    pid_t child = vfork();
    if (child == 0) {
        execve(arguments[0], arguments, environ);
        _exit(1);
    }
    wait_for(child);
}

static void with_spawn(void) {
    pid_t child;
    if (posix_spawn(&child, arguments[0], NULL, NULL, arguments, environ))
        errx(1, "posix_spawn");
    wait_for(child);
}

int main(int argc, char **argv) {
    if (argc != 4)
        errx(64, "usage: fork MIB ROUNDS MILLISECONDS");
    size_t size = strtoul(argv[1], NULL, 10) << 20;
    /* As a Java heap is: anonymous, private, and every page written to. */
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        err(1, "mmap");
    for (size_t i = 0; i < size; i += 4096)
        memory[i] = 1;
    for (int round = atoi(argv[2]); round > 0; round--) {
        printf("fork %ld\n", median(NULL, with_fork, atol(argv[3])));
        printf("vfork %ld\n", median(NULL, with_vfork, atol(argv[3])));
        printf("posix_spawn %ld\n", median(NULL, with_spawn, atol(argv[3])));
    }
}
