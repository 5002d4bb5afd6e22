/* Times whole processes, each of several commands in turn, round after round:
   stopwatch ROUNDS <COMMANDS. A line is a command, its words separated by tabs. One that begins with
   "-" is run and not timed. Prints "ROUND LINE WALL_NS CPU_NS PEAK_KIB STATUS". */
#include "limit.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { LINES = 64, WORDS = 64 };

static char *commands[LINES][WORDS + 1];

static int read_commands(void) {
    int count = 0;
    char *line = NULL;
    size_t size = 0;
    while (count < LINES && getline(&line, &size, stdin) > 0) {
        int words = 0;
        line[strcspn(line, "\n")] = 0;
        for (char *rest = strdup(line), *word; words < WORDS && (word = strsep(&rest, "\t"));)
            commands[count][words++] = word;
        count++;
    }
    return count;
}

static void run(int round, int line, posix_spawn_file_actions_t *actions, posix_spawnattr_t *group) {
    char **argv = commands[line];
    int timed = strcmp(argv[0], "-") != 0;
    siginfo_t info;
    struct rusage usage;
    int status;
    pid_t child;
    if (!timed)
        argv++;
    long start = now();
    if (posix_spawnp(&child, argv[0], actions, group, argv, environ))
        errx(1, "%s", argv[0]);
    if (waitid(P_PID, child, &info, WEXITED | WNOWAIT))
        err(1, "waitid");
    long wall = now() - start;
    /* What hangs in the command's own group; a daemon has left it. */
    kill(-child, SIGKILL);
    wait4(child, &status, 0, &usage);
    long cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000L + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    if (timed)
        printf("%d %d %ld %ld %ld %d\n", round, line, wall, cpu * 1000, usage.ru_maxrss,
               WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(int argc, char **argv) {
    if (argc != 2)
        errx(64, "usage: stopwatch ROUNDS <COMMANDS");
    int count = read_commands();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t group;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    posix_spawnattr_init(&group);
    posix_spawnattr_setflags(&group, POSIX_SPAWN_SETPGROUP);
    for (int round = 0; round < atoi(argv[1]); round++)
        for (int line = 0; line < count; line++)
            run(round, line, &actions, &group);
}
