/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/qtest/lib/qtest.c - see qtest.h
 *
 * The harness listens on two unix sockets, the emulator connects to both: the test server's line protocol and QMP.
 */
#include "qtest.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMEOUT_MS = 30000, IRQS = 256 };

struct line_reader {
    int fd;
    GString *buf;
};

struct qtest {
    GPid pid;
    char *dir;
    struct line_reader server, qmp;
    bool irq[IRQS];
    uint32_t io_next;
    uint64_t mem_next;
};

/* What runs programs of the build's kind here: meson sets it for a cross-build (qemu-aarch64-static) */
static const char *wrapper(void)
{
    const char *w = g_getenv("MESON_EXE_WRAPPER");

    return w ? w : "";
}

static const char *binary(void)
{
    const char *b = g_getenv("PATCHBAY_BINARY");

    return b ? b : "build/patchbay-system-x86_64";
}

int qtest_main(void)
{
    if (g_access(binary(), X_OK) < 0) {
        printf("1..0 # SKIP no program %s\n", binary());
        return 0;
    }
    return g_test_run();
}

/* ---- sockets ---- */

static int listen_at(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpuint(strlen(path), <, sizeof(a.sun_path));
    strcpy(a.sun_path, path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0) {
        g_error("cannot listen on %s: %s", path, g_strerror(errno));
    }
    return fd;
}

static void wait_readable(int fd, const char *what)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    int n;

    do {
        n = poll(&p, 1, TIMEOUT_MS);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        g_error("no %s within %d s", what, TIMEOUT_MS / 1000);
    }
}

static int accept_one(int listener, const char *what)
{
    int fd;

    wait_readable(listener, what);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        g_error("%s: %s", what, g_strerror(errno));
    }
    close(listener);
    return fd;
}

static void send_all(int fd, const char *p, size_t len)
{
    while (len) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n <= 0) {
            g_error("the emulator is gone: %s", g_strerror(errno));
        }
        p += n;
        len -= (size_t)n;
    }
}

static char *read_line(struct line_reader *r)
{
    char *nl, *line;

    while (!(nl = memchr(r->buf->str, '\n', r->buf->len))) {
        char chunk[4096];
        ssize_t n;

        wait_readable(r->fd, "reply");
        n = read(r->fd, chunk, sizeof(chunk));
        if (n <= 0) {
            g_error("the emulator is gone");
        }
        g_string_append_len(r->buf, chunk, n);
    }
    line = g_strndup(r->buf->str, (gsize)(nl - r->buf->str));
    g_string_erase(r->buf, 0, nl - r->buf->str + 1);
    return g_strchomp(line);
}

/* ---- life ---- */

struct qtest *qtest_start(const char *args)
{
    struct qtest *q = g_new0(struct qtest, 1);
    g_autofree char *s = NULL, *m = NULL, *cmd = NULL;
    char sh[] = "/bin/sh", dash_c[] = "-c";
    char *argv[] = { sh, dash_c, NULL, NULL };
    g_autoptr(GError) err = NULL;
    int ls, lm;

    q->dir = g_dir_make_tmp("qtest-XXXXXX", NULL);
    q->io_next = 0xC000;
    q->mem_next = 0xE0000000;
    s = g_build_filename(q->dir, "qtest", NULL);
    m = g_build_filename(q->dir, "qmp", NULL);
    ls = listen_at(s);
    lm = listen_at(m);
    argv[2] = cmd = g_strdup_printf("exec %s '%s' -qtest unix:%s -qtest-log /dev/null -chardev socket,path=%s,id=char0 "
                                    "-object monitor-qmp,id=qmp0,chardev=char0 -display none -audio none "
                                    "-run-with exit-with-parent=on %s -accel qtest", wrapper(), binary(), s, m,
                                    args);
    if (!g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &q->pid, &err)) {
        g_error("%s: %s", cmd, err->message);
    }
    q->server = (struct line_reader){ accept_one(ls, "test server"), g_string_new(NULL) };
    q->qmp = (struct line_reader){ accept_one(lm, "QMP"), g_string_new(NULL) };
    g_free(read_line(&q->qmp));                     /* greeting */
    g_free(qtest_cmd(q, "endianness"));
    g_free(qtest_qmp(q, "{\"execute\": \"qmp_capabilities\"}"));
    return q;
}

void qtest_quit(struct qtest *q)
{
    int status;

    kill(q->pid, SIGTERM);
    if (waitpid(q->pid, &status, 0) != q->pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        g_error("the emulator ended with status 0x%x", (unsigned)status);
    }
    close(q->server.fd);
    close(q->qmp.fd);
    g_string_free(q->server.buf, TRUE);
    g_string_free(q->qmp.buf, TRUE);
    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *path = g_build_filename(q->dir, i ? "qmp" : "qtest", NULL);

        g_unlink(path);
    }
    g_rmdir(q->dir);
    g_free(q->dir);
    g_free(q);
}

/* ---- test server ---- */

char *qtest_cmd(struct qtest *q, const char *fmt, ...)
{
    g_autofree char *line = NULL;
    va_list ap;

    va_start(ap, fmt);
    line = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    send_all(q->server.fd, line, strlen(line));
    send_all(q->server.fd, "\n", 1);
    for (;;) {
        g_autofree char *r = read_line(&q->server);
        unsigned n;

        if (sscanf(r, "IRQ raise %u", &n) == 1 && n < IRQS) {
            q->irq[n] = true;
        } else if (sscanf(r, "IRQ lower %u", &n) == 1 && n < IRQS) {
            q->irq[n] = false;
        } else if (g_str_has_prefix(r, "OK")) {
            return g_strdup(r[2] ? r + 3 : "");
        } else {
            g_error("'%.80s': %s", line, r);
        }
    }
}

static uint64_t number(char *reply)
{
    uint64_t v = g_ascii_strtoull(reply, NULL, 0);

    g_free(reply);
    return v;
}

static char width(unsigned size)
{
    return size == 1 ? 'b' : size == 2 ? 'w' : 'l';
}

uint32_t qtest_in(struct qtest *q, unsigned port, unsigned size)
{
    return (uint32_t)number(qtest_cmd(q, "in%c 0x%x", width(size), port));
}

void qtest_out(struct qtest *q, unsigned port, uint32_t val, unsigned size)
{
    g_free(qtest_cmd(q, "out%c 0x%x 0x%x", width(size), port, val));
}

uint64_t qtest_readl(struct qtest *q, uint64_t addr)
{
    return number(qtest_cmd(q, "readl 0x%" G_GINT64_MODIFIER "x", addr));
}

void qtest_writel(struct qtest *q, uint64_t addr, uint32_t val)
{
    g_free(qtest_cmd(q, "writel 0x%" G_GINT64_MODIFIER "x 0x%x", addr, val));
}

void qtest_memread(struct qtest *q, uint64_t addr, void *buf, size_t len)
{
    g_autofree char *r = qtest_cmd(q, "read 0x%" G_GINT64_MODIFIER "x 0x%zx", addr, len);

    g_assert_cmpuint(strlen(r), ==, 2 + 2 * len);
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)buf)[i] = (uint8_t)(g_ascii_xdigit_value(r[2 + 2 * i]) << 4 | g_ascii_xdigit_value(r[3 + 2 * i]));
    }
}

void qtest_memwrite(struct qtest *q, uint64_t addr, const void *buf, size_t len)
{
    g_autoptr(GString) hex = g_string_new(NULL);

    for (size_t i = 0; i < len; i++) {
        g_string_append_printf(hex, "%02x", ((const uint8_t *)buf)[i]);
    }
    g_free(qtest_cmd(q, "write 0x%" G_GINT64_MODIFIER "x 0x%zx 0x%s", addr, len, hex->str));
}

int64_t qtest_clock_step(struct qtest *q, int64_t ns)
{
    return (int64_t)number(qtest_cmd(q, "clock_step %" G_GINT64_FORMAT, ns));
}

bool qtest_irq(struct qtest *q, unsigned n)
{
    qtest_in(q, 0, 1);                              /* drains what came meanwhile */
    return n < IRQS && q->irq[n];
}

/* ---- QMP ---- */

char *qtest_qmp(struct qtest *q, const char *json)
{
    send_all(q->qmp.fd, json, strlen(json));
    send_all(q->qmp.fd, "\n", 1);
    for (;;) {
        char *r = read_line(&q->qmp);

        if (*r && !strstr(r, "\"event\"")) {
            return r;
        }
        g_free(r);
    }
}

/* ---- PCI ---- */

static void config_select(struct qtest *q, unsigned devfn, unsigned off)
{
    qtest_out(q, 0xCF8, 0x80000000u | devfn << 8 | off, 4);
}

uint32_t qpci_read(struct qtest *q, unsigned devfn, unsigned off, unsigned size)
{
    config_select(q, devfn, off);
    return qtest_in(q, 0xCFC, size);
}

void qpci_write(struct qtest *q, unsigned devfn, unsigned off, uint32_t val, unsigned size)
{
    config_select(q, devfn, off);
    qtest_out(q, 0xCFC, val, size);
}

unsigned qpci_find(struct qtest *q, uint16_t vendor, uint16_t device)
{
    for (unsigned devfn = 0; devfn < 256; devfn++) {
        if (qpci_read(q, devfn, 0, 4) == ((uint32_t)device << 16 | vendor)) {
            return devfn;
        }
    }
    g_error("no device %04x:%04x", vendor, device);
}

uint64_t qpci_place(struct qtest *q, unsigned devfn, unsigned n)
{
    unsigned reg = 0x10 + 4 * n;
    uint32_t v, size;

    qpci_write(q, devfn, reg, 0xFFFFFFFF, 4);
    v = qpci_read(q, devfn, reg, 4);
    g_assert_cmphex(v, !=, 0);
    if (v & 1) {
        size = ~(v & ~3u) + 1;
        q->io_next = (q->io_next + size - 1) & ~(size - 1);
        qpci_write(q, devfn, reg, q->io_next, 4);
        q->io_next += size;
        return q->io_next - size;
    }
    size = ~(v & ~15u) + 1;
    q->mem_next = (q->mem_next + size - 1) & ~((uint64_t)size - 1);
    qpci_write(q, devfn, reg, (uint32_t)q->mem_next, 4);
    if (v & 4) {
        qpci_write(q, devfn, reg + 4, 0, 4);
    }
    q->mem_next += size;
    return q->mem_next - size;
}

void qpci_enable(struct qtest *q, unsigned devfn)
{
    qpci_write(q, devfn, 4, 7, 2);
    g_assert_cmphex(qpci_read(q, devfn, 4, 2) & 7, ==, 7);
}
