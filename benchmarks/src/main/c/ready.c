/* From a daemon's readiness to the end of its launcher.

   ready daemon STAMP MILLISECONDS notify     the daemon: after this time it sends READY=1 to NOTIFY_SOCKET,
   ready daemon STAMP MILLISECONDS tcp PORT   or listens on this port of the loopback interface. Just before, it
                                              writes the time and its process id to STAMP.
   ready time STAMP COMMAND...                runs a launcher of that daemon, prints the nanoseconds from the
                                              time in STAMP to the launcher's end, and kills the daemon.
   ready launch COMMAND...                    the least launcher: waits for READY=1, and exits. */
#include "limit.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void stamp(const char *path) {
    char line[64];
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int length = snprintf(line, sizeof line, "%ld %d\n", now(), (int)getpid());
    if (file < 0 || write(file, line, length) != length)
        err(1, "%s", path);
}

static int daemon_main(char **argv) {
    struct timespec delay = {atol(argv[1]) / 1000, atol(argv[1]) % 1000 * 1000000};
    if (!strcmp(argv[2], "tcp")) {
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_port = htons(atoi(argv[3])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(listener, (struct sockaddr *)&address, sizeof address))
            err(1, "bind");
        nanosleep(&delay, NULL);
        stamp(argv[0]);
        if (listen(listener, 16))
            err(1, "listen");
    } else {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        const char *path = getenv("NOTIFY_SOCKET");
        if (!path || strlen(path) >= sizeof address.sun_path)
            errx(1, "no NOTIFY_SOCKET");
        strcpy(address.sun_path, path);
        if (path[0] == '@')
            address.sun_path[0] = 0;
        socklen_t length = offsetof(struct sockaddr_un, sun_path) + strlen(path);
        int sender = socket(AF_UNIX, SOCK_DGRAM, 0);
        nanosleep(&delay, NULL);
        stamp(argv[0]);
        if (sendto(sender, "READY=1", 7, 0, (struct sockaddr *)&address, length) != 7)
            err(1, "sendto");
        close(sender);
    }
    for (;;)
        pause();
}

static int time_main(char **argv) {
    long at;
    int daemon, status;
    unlink(argv[0]);
    pid_t launcher = fork();
    if (launcher == 0) {
        execvp(argv[1], argv + 1);
        err(127, "%s", argv[1]);
    }
    if (launcher < 0 || waitpid(launcher, &status, 0) != launcher)
        err(1, "launcher");
    long end = now();
    FILE *file = fopen(argv[0], "r");
    if (status != 0 || !file || fscanf(file, "%ld %d", &at, &daemon) != 2)
        errx(1, "the launcher has ended with status %d", status);
    fclose(file);
    printf("%ld\n", end - at);
    if (kill(daemon, SIGKILL))
        err(1, "kill");
    /* The next daemon needs its port: init reaps it when it has closed everything. */
    struct timespec moment = {0, 1000000};
    while (kill(daemon, 0) == 0)
        nanosleep(&moment, NULL);
    return 0;
}

static int launch_main(char **argv) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[16], text[64];
    socklen_t length = sizeof address;
    int receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    /* The kernel chooses an abstract name. */
    if (bind(receiver, (struct sockaddr *)&address, sizeof address.sun_family) ||
        getsockname(receiver, (struct sockaddr *)&address, &length))
        err(1, "bind");
    snprintf(path, sizeof path, "@%.*s", (int)(length - offsetof(struct sockaddr_un, sun_path) - 1),
             address.sun_path + 1);
    setenv("NOTIFY_SOCKET", path, 1);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        execvp(argv[0], argv);
        err(127, "%s", argv[0]);
    }
    return child < 0 || recv(receiver, text, sizeof text, 0) != 7;
}

int main(int argc, char **argv) {
    if (argc >= 5 && !strcmp(argv[1], "daemon"))
        return daemon_main(argv + 2);
    if (argc >= 4 && !strcmp(argv[1], "time"))
        return time_main(argv + 2);
    if (argc >= 3 && !strcmp(argv[1], "launch"))
        return launch_main(argv + 2);
    errx(64, "usage: ready daemon|time|launch ...");
}
