/*
 * Runs a command under ptrace, writes down its system calls, and has one of them fail, or meet SIGKILL.
 *
 *     inject LOG [FAULT LABEL CALL N [ERROR]] -- COMMAND [ARG...]
 *     inject forbid ERROR CALL... -- COMMAND [ARG...]
 *
 * The second form has these calls fail always, in the command and all that it starts, by a filter as containers have.
 *
 * A fault is "error", "kill" (before the call), "killed" (after it) or "orphan" (the parent, before it), and is
 * addressed by who makes the call: the N-th call of that name under that label. A label is told by the history of a
 * process, not by its id:
 *
 *     sh            a shell that runs a script, from the moment on when it has read the script
 *     sh.start      the same before that: its own start
 *     sh/2          its second child
 *     java          the thread of a java that runs the program, from its first call of the marker on, and its threads
 *     java.start    every other thread, and that one before the marker: the JVM
 *     java/1        the first child of java, until it executes something
 *
 * The marker is close(-1), or a path that begins with /marker/. What executes anything but a shell and java is let go.
 * Each line of the log is "LABEL CALL N RESULT TEXT"; a fault that was met adds a line that begins with "!". Ends as
 * the command ends, with 128 + n for a signal n, and lets go of everything that still runs.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct { long number; const char *name; } CALLS[] = {
#define CALL(name) {SYS_##name, #name},
#include "calls.h"
};
static const struct { int number; const char *name; } ERRORS[] = {
#define ERROR(name) {name, #name},
#include "errors.h"
};

enum { LABEL = 96, TRACEES = 4096, COUNTS = 16384 };

struct tracee {
    pid_t tid, tgid, parent;
    char label[LABEL]; /* of the process */
    int marked, opened, children, helper, hit;
    const char *call;
    int n;
};
static struct tracee tracees[TRACEES];
static int tracee_count;

static struct { char label[LABEL]; const char *call; int n; } counts[COUNTS];
static int count_count;

static FILE *log_file;
static const char *fault = "", *fault_label, *fault_call;
static int fault_n, fault_errno, over;
static const char *script;
static char images[64][LABEL];
static int image_count;

static void fail(const char *what) {
    perror(what);
    exit(125);
}

static struct tracee *find(pid_t tid) {
    for (int i = 0; i < tracee_count; i++)
        if (tracees[i].tid == tid) return &tracees[i];
    return NULL;
}

static struct tracee *add(pid_t tid) {
    struct tracee *t = NULL;
    for (int i = 0; i < tracee_count && !t; i++)
        if (tracees[i].tid == 0) t = &tracees[i];
    if (!t) {
        if (tracee_count == TRACEES) fail("too many tracees");
        t = &tracees[tracee_count++];
    }
    memset(t, 0, sizeof *t);
    t->tid = tid;
    return t;
}

static const char *name(long number) {
    static char other[8][32];
    static int next;
    for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++)
        if (CALLS[i].number == number) return CALLS[i].name;
    char *room = other[next++ % 8];
    snprintf(room, sizeof other[0], "unknown_%ld", number);
    for (int i = 0; i < count_count; i++)
        if (strcmp(counts[i].call, room) == 0) return counts[i].call;
    return strdup(room);
}

static int count(const char *label, const char *call) {
    for (int i = 0; i < count_count; i++)
        if (counts[i].call == call && strcmp(counts[i].label, label) == 0) return ++counts[i].n;
    if (count_count == COUNTS) fail("too many kinds of calls");
    strcpy(counts[count_count].label, label);
    counts[count_count].call = call;
    return counts[count_count++].n = 1;
}

/* Whether a call has a descriptor and no path, but other bytes that may look like one. */
static int has_bytes(long number) {
    return number == SYS_read || number == SYS_pread64 || number == SYS_write || number == SYS_pwrite64;
}

/* The first of a call's arguments that is an absolute path, or nothing. */
static void text(pid_t tid, const struct ptrace_syscall_info *info, char *to, size_t size) {
    *to = 0;
    if (has_bytes((long)info->entry.nr)) return;
    for (int i = 0; i < 3; i++) {
        struct iovec local = {to, size - 1}, remote = {(void *)info->entry.args[i], size - 1};
        if (info->entry.args[i] < 65536) continue;
        ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);
        if (n <= 0) {
            remote.iov_len = local.iov_len = 4096 - info->entry.args[i] % 4096;
            if (remote.iov_len > size - 1) continue;
            n = process_vm_readv(tid, &local, 1, &remote, 1, 0);
        }
        if (n > 0 && to[0] == '/') {
            to[n] = 0;
            for (char *c = to; *c; c++)
                if (*c < ' ' || *c > '~') { *c = 0; break; }
            return;
        }
    }
    *to = 0;
}

/* What the thread is called now. */
static void labelled(const struct tracee *t, char *to) {
    strcpy(to, t->label);
    if (!strchr(t->label, '/') && !t->marked) strcat(to, ".start");
}

/* Whether a thread's calls are looked at: without a fault all, else those of whoever meets it and its ancestors. */
static int followed(const struct tracee *t) {
    size_t length = strlen(t->label);
    if (!*fault) return 1;
    if (over) return t->hit;
    if (t->helper && !strstr(fault_label, ".start")) return 0;
    return strncmp(fault_label, t->label, length) == 0 && strchr("./", fault_label[length]) != NULL;
}

static void skip(pid_t tid) {
#if defined __x86_64__
    struct user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, tid, 0, &regs)) return;
    regs.orig_rax = -1;
    ptrace(PTRACE_SETREGS, tid, 0, &regs);
#elif defined __aarch64__
    int none = -1;
    struct iovec part = {&none, sizeof none};
    ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &part);
#else
#error "not a processor that this program knows"
#endif
}

static void set_result(pid_t tid, long result) {
#if defined __x86_64__
    struct user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, tid, 0, &regs)) return;
    regs.rax = result;
    ptrace(PTRACE_SETREGS, tid, 0, &regs);
#else
    struct user_regs_struct regs;
    struct iovec all = {&regs, sizeof regs};
    if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &all)) return;
    regs.regs[0] = result;
    ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &all);
#endif
}

static void met(const char *label, struct tracee *t) {
    over = 1;
    fprintf(log_file, "! %s %s %d\n", label, t->call, t->n);
    fflush(log_file);
}

static void entered(struct tracee *t, const struct ptrace_syscall_info *info) {
    char label[LABEL + 8], path[256];
    t->call = name((long)info->entry.nr);
    text(t->tid, info, path, sizeof path);
    int is_java = strncmp(t->label, "java", 4) == 0;
    if (is_java)
        t->marked |= (info->entry.nr == SYS_close && (int)info->entry.args[0] == -1) || strncmp(path, "/marker/", 8) == 0;
    labelled(t, label);
    t->opened |= !is_java && strcmp(path, script) == 0;
    t->marked |= t->opened && info->entry.nr == SYS_read;
    t->n = count(label, t->call);
    if (!*fault && !*path) {
        char link[64];
        snprintf(link, sizeof link, "/proc/%d/fd/%d", t->tid, (int)info->entry.args[0]);
        ssize_t length = readlink(link, path, sizeof path - 1);
        path[length > 0 && *path == '/' ? length : 0] = 0;
    }
    fprintf(log_file, "%s %s %d %lld %s\n", label, t->call, t->n, (long long)(int)info->entry.args[0], path);
    if (t->n != fault_n || strcmp(label, fault_label) || strcmp(t->call, fault_call)) return;
    if (strcmp(fault, "error") == 0) {
        t->hit = 1;
        /* What close reports does not keep it from closing. */
        if (info->entry.nr != SYS_close) skip(t->tid);
        met(label, t);
    } else if (strcmp(fault, "kill") == 0) {
        met(label, t);
        kill(t->tgid, SIGKILL);
    } else if (strcmp(fault, "orphan") == 0) {
        met(label, t);
        if (t->parent > 0)
            kill(t->parent, SIGKILL);
    } else if (strcmp(fault, "killed") == 0) {
        t->hit = 1;
    }
}

static void left(struct tracee *t) {
    char label[LABEL + 8];
    if (!t->hit) return;
    t->hit = 0;
    if (strcmp(fault, "error") == 0) {
        set_result(t->tid, -fault_errno);
    } else {
        labelled(t, label);
        met(label, t);
        kill(t->tgid, SIGKILL);
    }
}

/* A process has become another program: shells and java are followed, everything else is let go. */
static int executed(struct tracee *t) {
    char link[64], exe[512];
    snprintf(link, sizeof link, "/proc/%d/exe", t->tid);
    ssize_t n = readlink(link, exe, sizeof exe - 1);
    if (n < 0) return 0;
    exe[n] = 0;
    const char *base = strrchr(exe, '/') + 1;
    if (strcmp(base, "dash") == 0 || strcmp(base, "bash") == 0) base = "sh";
    if (strcmp(base, "sh") && strcmp(base, "java")) return 0;
    int again = 1;
    for (int i = 0; i < image_count; i++) again += strcmp(images[i], base) == 0;
    if (image_count < 64) snprintf(images[image_count++], LABEL, "%s", base);
    if (again > 1) snprintf(t->label, LABEL, "%s%d", base, again);
    else snprintf(t->label, LABEL, "%s", base);
    t->marked = t->opened = 0;
    return 1;
}

static void born(struct tracee *parent, pid_t tid, int thread) {
    struct tracee *t = find(tid);
    int waiting = t != NULL;
    if (!t) t = add(tid);
    if (thread) {
        t->tgid = parent->tgid;
        t->parent = parent->parent;
        strcpy(t->label, parent->label);
        t->marked = parent->marked;
        t->helper = !t->marked && parent->tid != parent->tgid;
    } else {
        t->tgid = tid;
        t->parent = parent->tgid;
        char label[LABEL + 8];
        labelled(parent, label);
        snprintf(t->label, LABEL, "%.80s/%d", label, ++parent->children);
    }
    if (waiting) ptrace(followed(t) ? PTRACE_SYSCALL : PTRACE_CONT, tid, 0, 0);
}

static int error_number(const char *text) {
    for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++)
        if (strcmp(ERRORS[i].name, text) == 0) return ERRORS[i].number;
    fprintf(stderr, "inject: no error %s\n", text);
    exit(125);
}

/* Executes a command to which some calls are forbidden. */
static int forbid(int error, char **words) {
    struct sock_filter filter[64] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    unsigned short length = 1;
    for (; *words && strcmp(*words, "--"); words++) {
        for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++) {
            if (strcmp(CALLS[i].name, *words) || length > 60) continue;
            filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALLS[i].number, 0, 1);
            filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error);
        }
    }
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {length, filter};
    if (!*words || length < 4) return 125;
    /* Root needs no no_new_privs, which would change what is tested. */
    if (geteuid() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) fail("prctl");
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) fail("seccomp");
    execvp(words[1], words + 1);
    return 125;
}

int main(int argc, char **argv) {
    int i = 2;
    if (argc < 4) return 125;
    if (strcmp(argv[1], "forbid") == 0) return forbid(error_number(argv[2]), argv + 3);
    log_file = fopen(argv[1], "we");
    if (!log_file) fail(argv[1]);
    if (strcmp(argv[i], "--")) {
        fault = argv[i++];
        fault_label = argv[i++];
        fault_call = argv[i++];
        fault_n = atoi(argv[i++]);
        if (strcmp(fault, "error") == 0) {
            fault_errno = error_number(argv[i++]);
        }
    }
    char **command = argv + i + 1;
    script = *command;
    int go[2];
    if (pipe2(go, O_CLOEXEC)) fail("pipe2");
    pid_t first = fork();
    if (first == 0) {
        char c;
        close(go[1]);
        if (read(go[0], &c, 1) != 1) _exit(125);
        execvp(*command, command);
        _exit(125);
    }
    struct tracee *root = add(first);
    root->tgid = first;
    root->parent = 0;
    strcpy(root->label, "start");
    if (ptrace(PTRACE_SEIZE, first, 0,
               PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                   PTRACE_O_TRACEEXEC))
        fail("ptrace");
    if (ptrace(PTRACE_INTERRUPT, first, 0, 0)) fail("interrupt");
    write(go[1], "", 1);
    close(go[0]);
    close(go[1]);
    for (;;) {
        int status;
        pid_t tid = waitpid(-1, &status, __WALL);
        if (tid < 0) return 125;
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (tid == first) {
                fclose(log_file);
                return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            }
            struct tracee *gone = find(tid);
            if (gone) gone->tid = 0;
            continue;
        }
        struct tracee *t = find(tid);
        int event = status >> 16, sig = WSTOPSIG(status), deliver = 0, let_go = 0;
        if (!t) {
            /* A new thread or process may stop before its creator tells of it: it waits until then. */
            add(tid);
            continue;
        }
        if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
            unsigned long child = 0;
            ptrace(PTRACE_GETEVENTMSG, tid, 0, &child);
            char path[64];
            snprintf(path, sizeof path, "/proc/%d/task/%lu", t->tgid, child);
            born(t, (pid_t)child, access(path, F_OK) == 0);
        } else if (event == PTRACE_EVENT_EXEC) {
            /* A thread that executes becomes the leader. */
            unsigned long former = 0;
            ptrace(PTRACE_GETEVENTMSG, tid, 0, &former);
            if ((pid_t)former != tid) {
                struct tracee *was = find((pid_t)former);
                if (was) was->tid = 0;
            }
            let_go = !executed(t);
            if (tid == first && let_go) {
                /* daimon run has become the program. */
                fprintf(log_file, "= executed\n");
                fflush(log_file);
            }
        } else if (event == PTRACE_EVENT_STOP) {
            if (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU) {
                ptrace(PTRACE_LISTEN, tid, 0, 0);
                continue;
            }
        } else if (sig == (SIGTRAP | 0x80)) {
            struct ptrace_syscall_info info;
            if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) > 0) {
                if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
                    if (strcmp(t->label, "start")) entered(t, &info);
                } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
                    left(t);
                }
            }
        } else {
            deliver = sig;
        }
        if (let_go || (over && !t->hit)) {
            ptrace(PTRACE_DETACH, tid, 0, deliver);
            if (tid != first) t->tid = 0;
        } else {
            ptrace(followed(t) ? PTRACE_SYSCALL : PTRACE_CONT, tid, 0, deliver);
        }
    }
}
