/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/qtest.c - the test server (-qtest): text lines in, one reply line for each
 *
 *   inb|inw|inl PORT                 OK 0x%04x          outb|outw|outl PORT VALUE      OK
 *   readb|readw|readl|readq ADDR     OK 0x%016x         writeb|...|writeq ADDR VALUE   OK
 *   read ADDR SIZE                   OK 0x<bytes>       write ADDR SIZE 0x<bytes>      OK
 *   b64read ADDR SIZE                OK <base64>        b64write ADDR SIZE <base64>    OK
 *   memset ADDR SIZE BYTE            OK                 endianness                     OK little
 *   clock_step [NS]                  OK <now>           clock_set NS                   OK <now>
 *   irq_intercept_in|out PATH [NAME] OK                 set_irq_in PATH NAME N LEVEL   OK
 *   module_load PREFIX NAME          OK                 qom-tests                      OK
 *   anything else                    FAIL Unknown command 'x'; blank lines and '#' comments have no reply
 *
 * Numbers are decimal, 0x hexadecimal or 0 octal. 1, 2, 4 and 8 bytes of read and write are one access of that
 * width. Lines "IRQ raise N" and "IRQ lower N" come between replies, in order, before the OK of the command that caused
 * them.
 * What a command
 * set off is complete when its reply is sent: ready bottom halves are drained first. Main thread, machine lock held.
 */
#include "softmmu/qtest.h"
#include "chardev/chardev.h"
#include "core/clock.h"
#include "core/irq.h"
#include "core/loop.h"
#include "core/timer.h"
#include "lib/bytes.h"
#include "lib/strparse.h"
#include "mem/space.h"
#include "softmmu/machine.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES (64u << 20)
#define DATA_MAX       (16u << 20)      /* of one read, write or memset through a buffer */
#define OUT_HIGH       (4u << 20)       /* unsent replies: no command is taken beyond */
#define DRAIN_ROUNDS   1000
#define MAX_WORDS      6

struct qtest {
    struct chardev *chr;
    struct addr_space *mem, *io;
    GString *in, *out;
    size_t scanned;             /* of in: no newline before */
    FILE *log;
    struct irq *pins;           /* intercepted, or NULL */
    unsigned npins;
    bool busy;                  /* inside a command */
};

static struct qtest *server;

static void send_raw(struct qtest *q, const char *text, size_t len)
{
    size_t n;

    g_string_append_len(q->out, text, (gssize)len);
    n = chardev_write(q->chr, q->out->str, q->out->len);
    g_string_erase(q->out, 0, (gssize)n);
}

static void G_GNUC_PRINTF(2, 3) say(struct qtest *q, const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    if (q->log) {
        fprintf(q->log, "[S] %.200s%s", text, strlen(text) > 200 ? "...\n" : "");
        fflush(q->log);
    }
    send_raw(q, text, strlen(text));
    g_free(text);
}

/* ---- interrupts ---- */

static bool on_irq(void *opaque, unsigned n, bool level)
{
    struct qtest *q = opaque;

    say(q, "IRQ %s %u\n", level ? "raise" : "lower", n);
    return false;               /* and on to where it goes */
}

static void release_irqs(struct qtest *q)
{
    for (unsigned i = 0; i < q->npins; i++) {
        q->pins[i].intercept = NULL;
    }
    q->pins = NULL;
    q->npins = 0;
}

static void intercept(struct qtest *q, const char *path)
{
    const char *last = strrchr(path, '/');
    struct irq *pins = NULL;
    unsigned n = 0;

    if (machine_pc && !strcmp(last ? last + 1 : path, "ioapic")) {
        pins = pc_ioapic_pins(machine_pc, &n);
    }
    if (!pins) {
        say(q, "FAIL Unknown device\n");
        return;
    }
    if (q->pins && q->pins != pins) {
        say(q, "FAIL IRQ intercept already enabled\n");
        return;
    }
    q->pins = pins;
    q->npins = n;
    for (unsigned i = 0; i < n; i++) {
        pins[i].intercept = on_irq;
        pins[i].intercept_opaque = q;
    }
    say(q, "OK\n");
}

/* ---- memory and ports ---- */

static bool scalar(uint64_t size)
{
    return size == 1 || size == 2 || size == 4 || size == 8;
}

static void mem_read(struct qtest *q, uint64_t addr, uint8_t *buf, size_t len)
{
    if (scalar(len)) {
        st_le_n(buf, space_read(q->mem, addr, (unsigned)len), (unsigned)len);
    } else {
        space_rw(q->mem, addr, buf, len, false);
    }
}

static void mem_write(struct qtest *q, uint64_t addr, uint8_t *buf, size_t len)
{
    if (scalar(len)) {
        space_write(q->mem, addr, ld_le_n(buf, (unsigned)len), (unsigned)len);
    } else {
        space_rw(q->mem, addr, buf, len, true);
    }
}

static void cmd_read(struct qtest *q, uint64_t addr, uint64_t len, bool base64)
{
    uint8_t *buf = g_malloc0(len + 1);
    GString *text = g_string_sized_new(len * 2 + 8);

    mem_read(q, addr, buf, len);
    if (base64) {
        char *b = g_base64_encode(buf, len);

        g_string_printf(text, "OK %s\n", b);
        g_free(b);
    } else {
        g_string_append(text, "OK 0x");
        for (uint64_t i = 0; i < len; i++) {
            static const char hex[] = "0123456789abcdef";

            g_string_append_c(text, hex[buf[i] >> 4]);
            g_string_append_c(text, hex[buf[i] & 15]);
        }
        g_string_append_c(text, '\n');
    }
    bh_drain(DRAIN_ROUNDS);
    say(q, "%s", text->str);
    g_string_free(text, TRUE);
    g_free(buf);
}

static void ok(struct qtest *q)
{
    bh_drain(DRAIN_ROUNDS);
    say(q, "OK\n");
}

/* Missing bytes are 0. */
static void cmd_write(struct qtest *q, uint64_t addr, uint64_t len, const char *hex)
{
    uint8_t *buf = g_malloc0(len + 1);

    hex += g_str_has_prefix(hex, "0x") ? 2 : 0;
    for (uint64_t i = 0; i < len && g_ascii_isxdigit(hex[0]) && g_ascii_isxdigit(hex[1]); i++, hex += 2) {
        buf[i] = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
    }
    mem_write(q, addr, buf, len);
    g_free(buf);
    ok(q);
}

static void cmd_b64write(struct qtest *q, uint64_t addr, uint64_t len, const char *b64)
{
    gsize n;
    guchar *data = g_base64_decode(b64, &n);
    uint8_t *buf = g_malloc0(len + 1);

    memcpy(buf, data, MIN(n, len));
    mem_write(q, addr, buf, len);
    g_free(buf);
    g_free(data);
    ok(q);
}

static void cmd_memset(struct qtest *q, uint64_t addr, uint64_t len, uint8_t byte)
{
    uint8_t *buf = g_malloc(MIN(len, 65536) + 1);

    memset(buf, byte, MIN(len, 65536));
    while (len) {
        uint64_t n = MIN(len, 65536);

        space_rw(q->mem, addr, buf, n, true);
        addr += n;
        len -= n;
    }
    g_free(buf);
    ok(q);
}

/* ---- clock ---- */

static void move_clock(struct qtest *q, int64_t to)
{
    if (to > clock_get_ns(CLOCK_VIRTUAL)) {
        clock_virtual_set(to);
    } else {
        clock_virtual_set(clock_get_ns(CLOCK_VIRTUAL));     /* timers that are due now */
    }
    bh_drain(DRAIN_ROUNDS);
    say(q, "OK %" PRId64 "\n", clock_get_ns(CLOCK_VIRTUAL));
}

static void clock_step(struct qtest *q, bool has_ns, uint64_t ns)
{
    int64_t next;

    if (!has_ns) {
        next = timer_next_ns(CLOCK_VIRTUAL);
        if (next < 0) {
            say(q, "FAIL cannot advance clock to the next deadline because there is no pending deadline\n");
            return;
        }
        move_clock(q, next);
        return;
    }
    move_clock(q, clock_get_ns(CLOCK_VIRTUAL) + (int64_t)MIN(ns, (uint64_t)INT64_MAX / 2));
}

/* ---- commands ---- */

enum verb {
    V_IN, V_OUT, V_LOAD, V_STORE, V_READ, V_WRITE, V_B64READ, V_B64WRITE, V_MEMSET, V_STEP, V_SET, V_IRQ_IN,
        V_IRQ_OUT, V_SET_IRQ,
    V_ENDIAN, V_NOTHING,
};

static const struct command {
    const char *name;
    enum verb verb;
    unsigned size;              /* of an access */
    unsigned min, max;          /* arguments */
    unsigned numbers;           /* the first so many of them are numbers */
} commands[] = {
    { "inb", V_IN, 1, 1, 1, 1 }, { "inw", V_IN, 2, 1, 1, 1 }, { "inl", V_IN, 4, 1, 1, 1 },
    { "outb", V_OUT, 1, 2, 2, 2 }, { "outw", V_OUT, 2, 2, 2, 2 }, { "outl", V_OUT, 4, 2, 2, 2 },
    { "readb", V_LOAD, 1, 1, 1, 1 }, { "readw", V_LOAD, 2, 1, 1, 1 }, { "readl", V_LOAD, 4, 1, 1, 1 }, { "readq",
            V_LOAD, 8, 1, 1, 1 },
    { "writeb", V_STORE, 1, 2, 2, 2 }, { "writew", V_STORE, 2, 2, 2, 2 }, { "writel", V_STORE, 4, 2, 2, 2 },
    { "writeq", V_STORE, 8, 2, 2, 2 },
    { "read", V_READ, 0, 2, 2, 2 }, { "write", V_WRITE, 0, 3, 3, 2 },
    { "b64read", V_B64READ, 0, 2, 2, 2 }, { "b64write", V_B64WRITE, 0, 3, 3, 2 },
    { "memset", V_MEMSET, 0, 3, 3, 3 },
    { "clock_step", V_STEP, 0, 0, 1, 1 }, { "clock_set", V_SET, 0, 1, 1, 1 },
    { "irq_intercept_in", V_IRQ_IN, 0, 1, 1, 0 }, { "irq_intercept_out", V_IRQ_OUT, 0, 1, 2, 0 },
    { "set_irq_in", V_SET_IRQ, 0, 4, 4, 0 },
    { "endianness", V_ENDIAN, 0, 0, 0, 0 }, { "module_load", V_NOTHING, 0, 2, 2, 0 }, { "qom-tests", V_NOTHING, 0, 0,
                                                                                        0, 0 },
};

static void run(struct qtest *q, const struct command *c, char **w, unsigned n, const uint64_t *v)
{
    bool sized = c->verb == V_READ || c->verb == V_WRITE || c->verb == V_B64READ || c->verb == V_B64WRITE;
    uint64_t val;

    if (sized && v[1] > DATA_MAX) {
        say(q, "FAIL size too large\n");
        return;
    }
    switch (c->verb) {
    case V_IN:
        val = space_read(q->io, v[0] & 0xFFFF, c->size);
        bh_drain(DRAIN_ROUNDS);
        say(q, "OK 0x%04" PRIx64 "\n", val);
        break;
    case V_OUT:
        space_write(q->io, v[0] & 0xFFFF, v[1], c->size);
        ok(q);
        break;
    case V_LOAD:
        val = space_read(q->mem, v[0], c->size);
        bh_drain(DRAIN_ROUNDS);
        say(q, "OK 0x%016" PRIx64 "\n", val);
        break;
    case V_STORE:
        space_write(q->mem, v[0], v[1], c->size);
        ok(q);
        break;
    case V_READ: case V_B64READ:
        cmd_read(q, v[0], v[1], c->verb == V_B64READ);
        break;
    case V_WRITE:
        cmd_write(q, v[0], v[1], w[3]);
        break;
    case V_B64WRITE:
        cmd_b64write(q, v[0], v[1], w[3]);
        break;
    case V_MEMSET:
        cmd_memset(q, v[0], MIN(v[1], 1ULL << 40), (uint8_t)v[2]);
        break;
    case V_STEP:
        clock_step(q, n > 1, v[0]);
        break;
    case V_SET:
        move_clock(q, (int64_t)MIN(v[0], (uint64_t)INT64_MAX / 2));
        break;
    case V_IRQ_IN:
        intercept(q, w[1]);
        break;
    case V_IRQ_OUT: case V_SET_IRQ:
        say(q, "FAIL Unknown device\n");
        break;
    case V_ENDIAN:
        say(q, "OK little\n");
        break;
    case V_NOTHING:
        say(q, "OK\n");
        break;
    }
}

static void execute(struct qtest *q, char **w, unsigned n)
{
    uint64_t v[MAX_WORDS] = { 0 };

    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        const struct command *c = &commands[i];

        if (strcmp(c->name, w[0])) {
            continue;
        }
        if (n - 1 < c->min || n - 1 > c->max) {
            say(q, "FAIL %s: wrong number of arguments\n", w[0]);
            return;
        }
        for (unsigned k = 0; k < c->numbers && k + 1 < n; k++) {
            if (!parse_u64(w[k + 1], UINT64_MAX, &v[k])) {
                say(q, "FAIL %s: '%.40s' is not a number\n", w[0], w[k + 1]);
                return;
            }
        }
        run(q, c, w, n, v);
        return;
    }
    say(q, "FAIL Unknown command '%.80s'\n", w[0]);
}

static void do_line(struct qtest *q, char *line)
{
    char *w[MAX_WORDS + 1], *save = NULL;
    unsigned n = 0;

    if (q->log) {
        fprintf(q->log, "[R] %.200s\n", line);
    }
    for (char *t = strtok_r(line, " \t\r", &save); t && n <= MAX_WORDS; t = strtok_r(NULL, " \t\r", &save)) {
        if (n < MAX_WORDS) {
            w[n] = t;
        }
        n++;
    }
    if (n && w[0][0] != '#') {
        execute(q, w, n);
    }
}

static bool backed_up(const struct qtest *q)
{
    return q->out->len + chardev_queued(q->chr) > OUT_HIGH;
}

static void do_lines(struct qtest *q)
{
    if (q->busy) {
        return;
    }
    q->busy = true;
    while (server == q && !backed_up(q)) {
        char *nl = memchr(q->in->str + q->scanned, '\n', q->in->len - q->scanned);
        char *line;
        size_t len;

        if (!nl) {
            q->scanned = q->in->len;
            if (q->in->len > LINE_MAX_BYTES) {
                say(q, "FAIL line too long\n");
                g_string_set_size(q->in, 0);
                q->scanned = 0;
            }
            break;
        }
        len = (size_t)(nl - q->in->str);
        line = g_strndup(q->in->str, len);
        g_string_erase(q->in, 0, (gssize)len + 1);
        q->scanned = 0;
        do_line(q, line);
        g_free(line);
    }
    q->busy = false;
}

/* ---- chardev ---- */

static size_t can_read(void *opaque)
{
    struct qtest *q = opaque;

    return q->busy || backed_up(q) ? 0 : 65536;
}

static void on_read(void *opaque, const uint8_t *buf, size_t len)
{
    struct qtest *q = opaque;

    g_string_append_len(q->in, (const char *)buf, (gssize)len);
    do_lines(q);
}

static void on_event(void *opaque, enum chardev_event ev)
{
    struct qtest *q = opaque;

    if (ev == CHARDEV_OPENED || ev == CHARDEV_CLOSED) {
        release_irqs(q);
        g_string_set_size(q->in, 0);
        g_string_set_size(q->out, 0);
        q->scanned = 0;
    }
}

static void on_writable(void *opaque)
{
    struct qtest *q = opaque;

    send_raw(q, "", 0);
    do_lines(q);
    chardev_accept_input(q->chr);
}

static const struct chardev_fe_ops fe_ops = {
    .can_read = can_read,
    .read = on_read,
    .event = on_event,
    .writable = on_writable,
};

bool qtest_init(const char *chardev, const char *log, struct addr_space *mem, struct addr_space *io, Error **errp)
{
    Error *err = NULL;
    struct chardev *chr = chardev_new_compat("qtest", chardev, &err);
    struct qtest *q;

    if (!chr) {
        error_propagate(errp, err);
        error_prepend(errp, "-qtest %s: ", chardev);
        return err == NULL;
    }
    q = g_new0(struct qtest, 1);
    q->chr = chr;
    q->mem = mem;
    q->io = io;
    q->in = g_string_new(NULL);
    q->out = g_string_new(NULL);
    if (log && strcmp(log, "none") && strcmp(log, "/dev/null")) {
        q->log = fopen(log, "we");
        if (!q->log) {
            error_setg_errno(errp, errno, "-qtest-log %s: cannot open", log);
        }
    }
    server = q;
    if (!machine_pc || !pc_cpu(machine_pc, 0)) {
        clock_virtual_manual();
    }
    if ((log && strcmp(log, "none") && strcmp(log, "/dev/null") && !q->log) || !chardev_attach(chr, &fe_ops, q, errp)) {
        qtest_end();
        return false;
    }
    return true;
}

void qtest_end(void)
{
    struct qtest *q = server;

    if (!q) {
        return;
    }
    server = NULL;
    chardev_detach(q->chr, q);
    release_irqs(q);
    if (q->log) {
        fclose(q->log);
    }
    g_string_free(q->in, TRUE);
    g_string_free(q->out, TRUE);
    g_free(q);
}
