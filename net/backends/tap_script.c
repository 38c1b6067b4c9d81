/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/tap_script.c - run a program, wait for it with a deadline, receive a descriptor from it
 *
 * Other threads may run: between fork and exec the child does only what a signal handler may do, with arguments made before.
 */
#include "net/backends/tap_script.h"
#include "config-host.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { HELPER_FD = 3, STATUS_NO_EXEC = 1 << 8 };

/* --- processes -------------------------------------------------------------------------------------------------- */

/* In the child: everything from @first on */
static void close_from(unsigned first)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, ~0u, 0) == 0) {
        return;
    }
#endif
    for (long fd = first, max = sysconf(_SC_OPEN_MAX); fd < max; fd++) {
        close((int)fd);
    }
}

/* @keep: becomes HELPER_FD in the child; -1: none */
static pid_t start(char *const argv[], int keep)
{
    sigset_t all, old;
    pid_t pid;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);       /* no handler of ours runs in the child */
    pid = fork();
    if (pid == 0) {
        for (int s = 1; s < NSIG; s++) {
            signal(s, SIG_DFL);
        }
        sigemptyset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        if (keep >= 0 && keep != HELPER_FD) {
            dup2(keep, HELPER_FD);
        } else if (keep >= 0) {
            fcntl(keep, F_SETFD, 0);
        }
        close_from(keep >= 0 ? HELPER_FD + 1 : HELPER_FD);
        execv(argv[0], argv);
        _exit(1);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return pid;
}

/* The raw wait status; -1: killed because it took too long */
static int finish(pid_t pid)
{
    int status = 0, r;

#ifdef SYS_pidfd_open
    struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
    int64_t end = g_get_monotonic_time() / 1000 + TAP_PROGRAM_MS;

    if (p.fd >= 0) {
        do {
            r = poll(&p, 1, (int)MAX(end - g_get_monotonic_time() / 1000, 0));
        } while (r < 0 && errno == EINTR);
        close(p.fd);
        if (r == 0) {
            kill(pid, SIGKILL);
            while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
            }
            return -1;
        }
    }
#endif
    do {
        r = waitpid(pid, &status, 0);
    } while (r < 0 && errno == EINTR);
    return r == pid ? status : STATUS_NO_EXEC;
}

static char *status_text(int status)
{
    if (WIFEXITED(status)) {
        return g_strdup_printf("exit code %d", WEXITSTATUS(status));
    }
    return g_strdup_printf("signal %d", WTERMSIG(status));
}

/* --- scripts ---------------------------------------------------------------------------------------------------- */

bool tap_script_run(const char *script, const char *ifname, Error **errp)
{
    char *const argv[] = { (char *)script, (char *)ifname, NULL };
    g_autofree char *why = NULL;
    int status;
    pid_t pid;

    if (access(script, X_OK) < 0) {
        error_setg(errp, "network script %s failed with status %d (%s)", script, STATUS_NO_EXEC, strerror(errno));
        return false;
    }
    pid = start(argv, -1);
    if (pid < 0) {
        error_setg_errno(errp, errno, "could not run network script %s", script);
        return false;
    }
    status = finish(pid);
    if (status == 0) {
        return true;
    }
    if (status < 0) {
        error_setg(errp, "network script %s did not end within %d s", script, TAP_PROGRAM_MS / 1000);
        return false;
    }
    why = status_text(status);
    error_setg(errp, "network script %s failed with status %d (%s)", script, status, why);
    return false;
}

/* --- the bridge helper ------------------------------------------------------------------------------------------ */

static char *beside_us(void)
{
    g_autofree char *exe = g_file_read_link("/proc/self/exe", NULL), *dir = exe ? g_path_get_dirname(exe) : NULL;

    return dir ? g_build_filename(dir, "patchbay-bridge-helper", NULL) : NULL;
}

/* It will have the right to make a tap: by root, set-user-ID or file capabilities */
static bool may_work(const char *path)
{
    struct stat st;

    return geteuid() == 0 || (stat(path, &st) == 0 && st.st_mode & S_ISUID) || getxattr(path, "security.capability", NULL, 0) > 0;
}

char *tap_helper_find(void)
{
    g_autofree char *own = beside_us();
    const char *const places[] = { own ? own : "", PATCHBAY_LIBEXECDIR "/patchbay-bridge-helper", "/usr/lib/qemu/qemu-bridge-helper",
                                   "/usr/libexec/qemu-bridge-helper", "/usr/lib/qemu-bridge-helper" };

    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
            if (access(places[i], X_OK) == 0 && (pass || may_work(places[i]))) {
                return g_strdup(places[i]);
            }
        }
    }
    return g_strdup(places[1]);
}

static char **helper_argv(const char *helper, const char *br)
{
    g_autofree char *fd_arg = g_strdup_printf("--fd=%d", HELPER_FD), *br_arg = g_strdup_printf("--br=%s", br);
    char **argv = g_new0(char *, 5);

    if (!strpbrk(helper, " \t")) {
        argv[0] = g_strdup(helper);
        argv[1] = g_strdup("--use-vnet");
        argv[2] = g_steal_pointer(&fd_arg);
        argv[3] = g_steal_pointer(&br_arg);
    } else {
        g_autofree char *quoted = g_shell_quote(br_arg);

        argv[0] = g_strdup("/bin/sh");
        argv[1] = g_strdup("-c");
        argv[2] = g_strdup_printf("%s --use-vnet %s %s", helper, fd_arg, strstr(helper, "--br=") ? "" : quoted);
    }
    return argv;
}

/* One descriptor with one byte; -1: the other end was closed without */
static int receive_fd(int sock)
{
    union {
        struct cmsghdr align;
        char buf[CMSG_SPACE(sizeof(int) * 4)];
    } ctl = { 0 };
    char byte;
    struct iovec iov = { &byte, 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &ctl, .msg_controllen = sizeof(ctl) };
    struct pollfd p = { .fd = sock, .events = POLLIN };
    int fd = -1, got;
    ssize_t n;

    while (poll(&p, 1, TAP_PROGRAM_MS) < 0 && errno == EINTR) {
    }
    do {
        n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
        for (size_t i = 0; c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && CMSG_LEN((i + 1) * sizeof(int)) <= c->cmsg_len; i++) {
            memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (fd < 0) {
                fd = got;
            } else {
                close(got);
            }
        }
    }
    return fd;
}

int tap_helper_run(const char *helper, const char *br, Error **errp)
{
    g_auto(GStrv) argv = helper_argv(helper, br);
    int sv[2], status, fd;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0) {
        error_setg_errno(errp, errno, "bridge helper failed");
        return -1;
    }
    if (access(argv[0], X_OK) < 0) {
        error_setg(errp, "bridge helper failed");
        error_hint(errp, "%s: %s\n", argv[0], strerror(errno));
        close(sv[0]);
        close(sv[1]);
        return -1;
    }
    pid = start(argv, sv[1]);
    close(sv[1]);
    fd = pid < 0 ? -1 : receive_fd(sv[0]);
    close(sv[0]);
    status = pid < 0 ? STATUS_NO_EXEC : finish(pid);
    if (status != 0 || fd < 0) {
        if (fd >= 0) {
            close(fd);
        }
        error_setg(errp, "bridge helper failed");
        return -1;
    }
    return fd;
}
