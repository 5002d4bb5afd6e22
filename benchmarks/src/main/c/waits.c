/* Waits for many live children by pidfd and epoll: waits CHILDREN SAMPLES. Prints "latency" and the
   nanoseconds from a child's kill to its end being told, SAMPLES times, then "all", the nanoseconds until
   the ends of all others were told. */
#include "limit.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int begin(int epoll) {
    char *argv[] = {"/bin/sleep", "1000", NULL};
    pid_t child;
    if (posix_spawn(&child, argv[0], NULL, NULL, argv, environ))
        errx(1, "posix_spawn");
    int handle = syscall(SYS_pidfd_open, child, 0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = handle};
    if (handle < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, handle, &event))
        err(1, "pidfd");
    return handle;
}

static void end(int handle) {
    if (syscall(SYS_pidfd_send_signal, handle, SIGKILL, NULL, 0))
        err(1, "pidfd_send_signal");
}

static void take(int epoll) {
    struct epoll_event event;
    siginfo_t info;
    if (epoll_wait(epoll, &event, 1, -1) != 1 || waitid(P_PIDFD, event.data.fd, &info, WEXITED))
        err(1, "epoll_wait");
    /* A close alone is not enough: a child in the midst of its exec may still have it open. */
    epoll_ctl(epoll, EPOLL_CTL_DEL, event.data.fd, NULL);
    close(event.data.fd);
}

int main(int argc, char **argv) {
    if (argc != 3)
        errx(64, "usage: waits CHILDREN SAMPLES");
    int children = atoi(argv[1]), samples = atoi(argv[2]), epoll = epoll_create1(EPOLL_CLOEXEC);
    int *handles = calloc(children, sizeof *handles);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int measured = 0; measured < samples;) {
        int each = samples - measured < children ? samples - measured : children;
        for (int i = 0; i < children; i++)
            handles[i] = begin(epoll);
        for (int i = 0; i < each; i++) {
            long start = now();
            end(handles[i]);
            take(epoll);
            printf("latency %ld\n", now() - start);
        }
        measured += each;
        long start = now();
        for (int i = each; i < children; i++)
            end(handles[i]);
        for (int i = each; i < children; i++)
            take(epoll);
        if (measured == samples)
            printf("all %ld\n", now() - start);
    }
}
