/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/cli/daemon.c - background, pid file, parent's death */
#include "cli/daemon.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int ready_fd = -1;           /* write end of the pipe on which the parent waits */
static char *pidfile;
static pid_t pidfile_owner;

/* The user's process: exit as the child says. */
static void G_GNUC_NORETURN wait_for_child(int fd)
{
    char c = 1;
    ssize_t n;

    do {
        n = read(fd, &c, 1);
    } while (n < 0 && errno == EINTR);
    _exit(n == 1 && c == 0 ? 0 : 1);
}

bool daemon_start(const struct vm_options *o, Error **errp)
{
    int fds[2];
    pid_t pid;

    if (o->exit_with_parent) {
        pid_t parent = getppid();

        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent) {
            error_setg_errno(errp, errno, "-run-with exit-with-parent=on");
            return false;
        }
    }
    if (!o->daemonize) {
        return true;
    }
    if (o->nographic && !o->nodefaults && (!o->serials->len || !o->monitors->len)) {    /* meant for the terminal */
        error_setg(errp, "-daemonize can not be used with -nographic");
        return false;
    }
    if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
        error_setg_errno(errp, errno, "-daemonize");
        return false;
    }
    if (pid > 0) {
        close(fds[1]);
        wait_for_child(fds[0]);
    }
    close(fds[0]);
    ready_fd = fds[1];
    setsid();
    pid = fork();
    if (pid > 0) {
        _exit(0);                   /* session leader goes: no terminal can become ours again */
    }
    umask(027);
    signal(SIGTSTP, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    signal(SIGTTIN, SIG_IGN);
    return true;
}

bool daemon_write_pidfile(const struct vm_options *o, Error **errp)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char text[32];
    int fd;

    if (!o->pidfile) {
        return true;
    }
    fd = open(o->pidfile, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        error_setg_errno(errp, errno, "-pidfile %s: cannot create PID file: Cannot open pid file", o->pidfile);
        return false;
    }
    if (fcntl(fd, F_SETLK, &lock) < 0) {
        error_setg_errno(errp, errno, "-pidfile %s: cannot create PID file: Cannot lock pid file", o->pidfile);
        close(fd);
        return false;
    }
    snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (ftruncate(fd, 0) < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        error_setg_errno(errp, errno, "-pidfile %s: Failed to write pid file", o->pidfile);
        close(fd);
        return false;
    }
    pidfile = realpath(o->pidfile, NULL);
    pidfile_owner = getpid();
    return true;                    /* fd stays open: the lock tells others that we are alive */
}

void daemon_ready(void)
{
    char c = 0;
    int null;

    if (ready_fd < 0) {
        return;
    }
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (chdir("/") < 0 || null < 0) {
        c = 1;
    } else {
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        close(null);
    }
    if (write(ready_fd, &c, 1) < 0) {
        c = 1;                      /* the parent is gone already: nobody to tell */
    }
    close(ready_fd);
    ready_fd = -1;
}

void daemon_end(void)
{
    if (pidfile && pidfile_owner == getpid()) {
        unlink(pidfile);
    }
    g_clear_pointer(&pidfile, free);
}
