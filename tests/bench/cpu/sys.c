/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/cpu/sys.c - entries to the kernel: system calls, faults, processes, pipes, signals
 *
 * Checksums count what succeeded; the kernels differ, the work asked of them does not.
 */
#include "bench.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t run_syscall(uint64_t n)
{
    uint64_t same = 0;
    long parent = getppid();

    for (uint64_t i = 0; i < n * 1024; i++) {
        same += syscall(SYS_getppid) == parent;
    }
    return same;
}

#define PAGES 64
#define PAGE 4096

static uint64_t run_fault(uint64_t n)
{
    uint64_t sum = 0;

    while (n--) {
        uint8_t *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED) {
            bench_fail("mmap");
        }
        for (unsigned i = 0; i < PAGES; i++) {
            sum += ++p[i * PAGE + i];
        }
        munmap(p, PAGES * PAGE);
    }
    return sum;
}

static uint64_t run_mprotect(uint64_t n)
{
    uint8_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t sum = 0;

    if (p == MAP_FAILED) {
        bench_fail("mmap");
    }
    for (uint64_t i = 0; i < n * 64; i++) {
        p[i % PAGE]++;
        sum += mprotect(p, PAGE, PROT_READ) == 0;
        sum += *(volatile uint8_t *)&p[i % PAGE];
        sum += mprotect(p, PAGE, PROT_READ | PROT_WRITE) == 0;
    }
    munmap(p, PAGE);
    return sum;
}

static uint64_t reap(pid_t pid)
{
    int status;

    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        bench_fail("fork");
    }
    return WIFEXITED(status) ? (uint64_t)WEXITSTATUS(status) : 1000;
}

static uint64_t run_fork(uint64_t n)
{
    uint64_t sum = 0;

    while (n--) {
        pid_t pid = fork();

        if (!pid) {
            _exit(5);
        }
        sum += reap(pid);
    }
    return sum;
}

static uint64_t run_exec(uint64_t n)
{
    char *const args[] = { (char *)bench_self, (char *)"nop", NULL }, *const env[] = { NULL };
    volatile uint64_t sum = 0;

    while (n--) {
        pid_t pid = vfork();

        if (!pid) {
            execve(bench_self, args, env);
            _exit(99);
        }
        sum += reap(pid);
    }
    return sum;
}

static uint64_t run_pingpong(uint64_t n)
{
    int there[2], back[2];
    uint8_t c = 0;
    uint64_t sum = 0;

    if (pipe(there) < 0 || pipe(back) < 0) {
        bench_fail("pipe");
    }
    pid_t pid = fork();
    if (!pid) {
        close(there[1]);
        while (read(there[0], &c, 1) == 1) {
            c++;
            if (write(back[1], &c, 1) != 1) {
                break;
            }
        }
        _exit(0);
    }
    close(there[0]);
    for (uint64_t i = 0; i < n * 64; i++) {
        if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1) {
            bench_fail("pipe");
        }
        sum += c;
    }
    close(there[1]);
    close(back[0]);
    close(back[1]);
    return sum + reap(pid);
}

static uint64_t run_pipe4k(uint64_t n)
{
    static uint8_t buf[4096];
    int fd[2];
    uint64_t sum = 0;

    if (pipe(fd) < 0) {
        bench_fail("pipe");
    }
    memset(buf, 1, sizeof(buf));
    for (uint64_t i = 0; i < n * 64; i++) {
        buf[i & 4095]++;
        sum += (uint64_t)write(fd[1], buf, sizeof(buf));
        sum += (uint64_t)read(fd[0], buf, sizeof(buf));
    }
    close(fd[0]);
    close(fd[1]);
    return mix_bytes(sum, buf, sizeof(buf));
}

static uint64_t run_readzero(uint64_t n)
{
    static uint8_t buf[65536];
    int fd = open("/dev/zero", O_RDONLY);
    uint64_t sum = 0;

    if (fd < 0) {
        bench_fail("/dev/zero");
    }
    while (n--) {
        buf[n & 0xFFFF] = 1;
        sum += (uint64_t)read(fd, buf, sizeof(buf));
        sum += buf[n & 0xFFFF];
    }
    close(fd);
    return sum;
}

static volatile sig_atomic_t signals;

static void on_signal(int sig)
{
    (void)sig;
    signals++;
}

static uint64_t run_signal(uint64_t n)
{
    pid_t me = getpid();

    signals = 0;
    signal(SIGUSR1, on_signal);
    for (uint64_t i = 0; i < n * 64; i++) {
        kill(me, SIGUSR1);
    }
    return (uint64_t)signals;
}

const struct bench sys_tests[] = {
    { "syscall",  600,  run_syscall,  NULL, 0 },
    { "fault",    800,  run_fault,    NULL, 0 },
    { "mprotect", 1000, run_mprotect, NULL, 0 },
    { "fork",     600,  run_fork,     NULL, 0 },
    { "exec",     300,  run_exec,     NULL, 0 },
    { "pingpong", 200,  run_pingpong, NULL, 0 },
    { "pipe4k",   1200, run_pipe4k,   NULL, 0 },
    { "readzero", 3000, run_readzero, NULL, 0 },
    { "signal",   600,  run_signal,   NULL, 0 },
    { NULL, 0, NULL, NULL, 0 },
};
