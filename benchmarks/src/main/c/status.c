/* The system calls of DaemonControl.status() of a daemon that runs: status PIDFILE MILLISECONDS. */
#include "limit.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char text[4096];

static void read_record(const char *directory, const char *name) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        err(1, "%s", path);
    ssize_t length = read(file, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = 0;
    close(file);
}

static int is_alive(int process) {
    struct pollfd end = {process, POLLIN, 0};
    return poll(&end, 1, 0) == 0;
}

static int carries(const char *directory, const char *number, const struct stat *file) {
    char path[600];
    struct stat status;
    snprintf(path, sizeof path, "%s/fd/%s", directory, number);
    if (stat(path, &status) || status.st_ino != file->st_ino || status.st_dev != file->st_dev)
        return 0;
    snprintf(path, sizeof path, "fdinfo/%s", number);
    read_record(directory, path);
    return strstr(text, " FLOCK ") != NULL;
}

/* The number that was the last find is looked at first. */
static int holds(const char *directory, const struct stat *file) {
    static char last[256] = "3";
    char path[600];
    if (carries(directory, last, file))
        return 1;
    snprintf(path, sizeof path, "%s/fd", directory);
    DIR *descriptors = opendir(path);
    struct dirent *entry;
    int found = 0;
    while (!found && (entry = readdir(descriptors))) {
        /* The standard streams come last there. */
        if (entry->d_name[0] <= '2' && !entry->d_name[1])
            continue;
        if ((found = carries(directory, entry->d_name, file)))
            snprintf(last, sizeof last, "%s", entry->d_name);
    }
    closedir(descriptors);
    return found;
}

/* Every directory of the path is looked at. */
static void walk(const char *path) {
    char directory[400];
    struct stat status;
    lstat("/", &status);
    for (const char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/')) {
        snprintf(directory, sizeof directory, "%.*s", (int)(end - path), path);
        if (lstat(directory, &status))
            err(1, "%s", directory);
    }
}

static const char *pid_file;

static void look(void) {
    int file = open(pid_file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    struct stat status;
    char pid[66], again[66], directory[100];
    if (file < 0 || fstat(file, &status) || fstat(file, &status))
        err(1, "%s", pid_file);
    walk(pid_file);
    ssize_t length = pread(file, pid, 65, 0);
    if (pread(file, again, 65, 0) != length)
        errx(1, "changes");
    pid[length] = 0;
    int process = syscall(SYS_pidfd_open, atoi(pid), 0);
    if (process < 0 || !is_alive(process))
        err(1, "pidfd_open");
    snprintf(directory, sizeof directory, "/proc/%d", atoi(pid));
    if (!holds(directory, &status))
        errx(1, "no lock");
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    read_record(directory, "stat");
    /* PIDFD_GET_INFO, newer than many headers: the ids of user and groups. */
    uint64_t info[8] = {2};
    if (ioctl(process, _IOWR(0xff, 11, info), info)) {
        if (stat(directory, &status))
            err(1, "%s", directory);
        if (status.st_uid == 0)
            read_record(directory, "status");
    }
    read_record(directory, "cmdline");
    if (!is_alive(process))
        errx(1, "ended");
    close(process);
    close(file);
}

int main(int argc, char **argv) {
    if (argc != 3)
        errx(64, "usage: status PIDFILE MILLISECONDS");
    pid_file = argv[1];
    printf("%ld\n", median(NULL, look, atol(argv[2])));
}
