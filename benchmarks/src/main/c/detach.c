/* The double fork, to the process id known and the program executed: detach MILLISECONDS. */
#include "limit.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char *const arguments[] = {"/bin/true", NULL};

static void detach(void) {
    int report[2], status;
    pid_t leader, program = 0, nothing;
    if (pipe2(report, O_CLOEXEC))
        err(1, "pipe2");
    leader = fork();
    if (leader == 0) {
        setsid();
        umask(022);
        pid_t child = fork();
        if (child == 0) {
            close_range(3, report[1] - 1, 0);
            close_range(report[1] + 1, ~0U, 0);
            execve(arguments[0], arguments, environ);
            _exit(1);
        }
        _exit(write(report[1], &child, sizeof child) != sizeof child);
    }
    close(report[1]);
    /* The end of the file comes with the exec. */
    if (read(report[0], &program, sizeof program) != sizeof program || program < 0 ||
        read(report[0], &nothing, sizeof nothing) != 0)
        errx(1, "no program");
    close(report[0]);
    if (waitpid(leader, &status, 0) != leader || status)
        err(1, "waitpid");
}

int main(int argc, char **argv) {
    if (argc != 2)
        errx(64, "usage: detach MILLISECONDS");
    printf("%ld\n", median(NULL, detach, atol(argv[1])));
}
