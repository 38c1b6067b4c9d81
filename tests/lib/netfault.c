/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/netfault.c - preloaded into the emulator: system calls on taps and datagram sockets fail now and then
 *
 *     LD_PRELOAD=libnetfault.so NETFAULT=/path/of/control emulator ...
 *
 * The control file is shared memory, struct control below: a test writes which call fails how often (0: never, 1: always, n: each n-th) with which
 * errno and how many times at most, and reads how often it was called and failed. Calls on other kinds of descriptor are left alone.
 */
#include <errno.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

enum call { WRITEV, READ, SENDMMSG, RECVMMSG, CALLS };

struct control {
    struct {
        uint32_t every, error, limit;       /* written by the test */
        uint32_t calls, failed;             /* by us */
    } call[CALLS];
};

static struct control *control;

__attribute__((constructor)) static void open_control(void)
{
    const char *path = getenv("NETFAULT");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *p = fd >= 0 ? mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

    control = p == MAP_FAILED ? NULL : p;
    if (fd >= 0) {
        close(fd);
    }
}

static int is_tap(int fd)
{
    struct stat st;

    return !fstat(fd, &st) && S_ISCHR(st.st_mode) && st.st_rdev == makedev(10, 200);
}

/* true: this one fails, errno is set */
static int fails(enum call c, int fd)
{
    uint32_t n;

    if (!control || (c <= READ && !is_tap(fd))) {
        return 0;
    }
    n = __atomic_add_fetch(&control->call[c].calls, 1, __ATOMIC_RELAXED);
    if (!control->call[c].every || n % control->call[c].every || !control->call[c].limit) {
        return 0;
    }
    control->call[c].limit--;
    __atomic_add_fetch(&control->call[c].failed, 1, __ATOMIC_RELAXED);
    errno = (int)control->call[c].error;
    return 1;
}

#define NEXT(name) \
    static __typeof__(name) *real; \
    if (!real) { \
        real = (__typeof__(name) *)(uintptr_t)dlsym(RTLD_NEXT, #name); \
    }

ssize_t writev(int fd, const struct iovec *iov, int n)
{
    NEXT(writev)
    return fails(WRITEV, fd) ? -1 : real(fd, iov, n);
}

ssize_t read(int fd, void *buf, size_t n)
{
    NEXT(read)
    return fails(READ, fd) ? -1 : real(fd, buf, n);
}

ssize_t __read_chk(int fd, void *buf, size_t n, size_t room);
ssize_t __read_chk(int fd, void *buf, size_t n, size_t room)        /* read() with _FORTIFY_SOURCE */
{
    NEXT(__read_chk)
    return fails(READ, fd) ? -1 : real(fd, buf, n, room);
}

int sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
    NEXT(sendmmsg)
    return fails(SENDMMSG, fd) ? -1 : real(fd, m, n, flags);
}

int recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout)
{
    NEXT(recvmmsg)
    return fails(RECVMMSG, fd) ? -1 : real(fd, m, n, flags, timeout);
}
