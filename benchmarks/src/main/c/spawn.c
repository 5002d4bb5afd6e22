/* Runs /bin/true and waits for its end: spawn MILLISECONDS. With the attributes and actions that
   Daimon's spawn has: dispositions, mask, and the sweep of descriptors. */
#include "limit.h"
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

static void run(void) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t all, none;
    char *argv[] = {"/bin/true", NULL};
    pid_t child;
    int status;
    memset(&all, 0xff, sizeof all);
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (posix_spawn(&child, argv[0], &actions, &attributes, argv, environ))
        errx(1, "posix_spawn");
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (waitpid(child, &status, 0) != child || status)
        err(1, "waitpid");
}

int main(int argc, char **argv) {
    if (argc != 2)
        errx(64, "usage: spawn MILLISECONDS");
    printf("%ld\n", median(NULL, run, atol(argv[1])));
}
