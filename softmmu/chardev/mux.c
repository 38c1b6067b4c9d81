/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/chardev/mux.c - the Ctrl-a multiplexer
 *
 * Ctrl-a is the escape; the key after it is a command (see help below), Ctrl-a twice sends one. Input for a front end
 * that cannot read waits here, AHEAD bytes of it, then where it comes from. So a guest that does not read cannot keep
 * anybody from Ctrl-a x.
 */
#include "chardev_internal.h"
#include "core/clock.h"
#include <stdio.h>
#include <string.h>

#define ESCAPE 0x01

#define AHEAD  256      /* bytes that wait for a front end that cannot read, so that commands behind them are seen */

struct mux_fe {
    const struct chardev_fe_ops *ops;
    void *opaque;
    bool yields;
    uint8_t ahead[AHEAD];
    unsigned n_ahead;
};

struct mux {
    struct mux_fe fe[CHARDEV_MUX_MAX];
    unsigned n;
    int focus;              /* -1: none */
    bool escaped;           /* the last byte was ESCAPE */
    bool stamps;            /* Ctrl-a t */
    bool line_start;
    int64_t start_ns;       /* first stamp */
    struct bh bh;           /* gives the focus to a lone monitor */
    struct chardev *c;
};

static void (*quit_fn)(void);

void chardev_mux_set_quit(void (*fn)(void))
{
    quit_fn = fn;
}

static void focus_alone(void *opaque);

void chardev_make_mux(struct chardev *c)
{
    if (!c->mux) {
        c->mux = g_new0(struct mux, 1);
        c->mux->c = c;
        bh_init(&c->mux->bh, "mux", focus_alone, c->mux);
        c->mux->focus = -1;
        c->mux->line_start = true;
        if (c->fe) {
            c->mux->fe[c->mux->n++] = (struct mux_fe){ .ops = c->fe, .opaque = c->fe_opaque };
            c->mux->focus = 0;
        }
    }
}

bool chardev_is_mux(const struct chardev *c)
{
    return c->mux != NULL;
}

void mux_free(struct chardev *c)
{
    if (c->mux) {
        bh_fini(&c->mux->bh);
        g_clear_pointer(&c->mux, g_free);
    }
}

static void fe_event(struct mux *m, int i, enum chardev_event ev)
{
    if (i >= 0 && m->fe[i].ops->event) {
        m->fe[i].ops->event(m->fe[i].opaque, ev);
    }
}

static void set_focus(struct mux *m, int i)
{
    if (i == m->focus) {
        return;
    }
    fe_event(m, m->focus, CHARDEV_MUX_OUT);
    m->focus = i;
    fe_event(m, m->focus, CHARDEV_MUX_IN);
}

static void focus_alone(void *opaque)
{
    struct mux *m = opaque;

    if (m->focus < 0 && m->n) {
        set_focus(m, 0);
        m->c->ops->read_update(m->c);
    }
}

bool mux_attach(struct chardev *c, const struct chardev_fe_ops *ops, void *opaque, bool yields, Error **errp)
{
    struct mux *m = c->mux;

    if (m->n == CHARDEV_MUX_MAX) {
        error_setg(errp, "too many uses of multiplexed chardev '%s' (maximum is %d)", c->id, CHARDEV_MUX_MAX);
        return false;
    }
    m->fe[m->n++] = (struct mux_fe){ .ops = ops, .opaque = opaque, .yields = yields };
    if (c->connected) {
        fe_event(m, (int)m->n - 1, CHARDEV_OPENED);
    }
    if (yields) {
        bh_schedule(&m->bh);
    } else if (m->focus < 0 || m->fe[m->focus].yields) {
        set_focus(m, (int)m->n - 1);
    }
    return true;
}

void mux_detach(struct chardev *c, void *opaque)
{
    struct mux *m = c->mux;

    for (unsigned i = 0; i < m->n; i++) {
        if (m->fe[i].opaque == opaque) {
            memmove(m->fe + i, m->fe + i + 1, (m->n - i - 1) * sizeof(m->fe[0]));
            m->n--;
            if (m->focus == (int)i) {
                m->focus = -1;
                set_focus(m, m->n ? 0 : -1);
            } else if (m->focus > (int)i) {
                m->focus--;
            }
            return;
        }
    }
}

size_t mux_can_read(struct chardev *c)
{
    struct mux *m = c->mux;

    return m->focus < 0 ? 0 : AHEAD - m->fe[m->focus].n_ahead;
}

static void fe_flush(struct mux_fe *f)
{
    while (f->n_ahead) {
        size_t n = MIN(f->ops->can_read(f->opaque), f->n_ahead);
        uint8_t buf[AHEAD];

        if (!n) {
            return;
        }
        memcpy(buf, f->ahead, n);
        memmove(f->ahead, f->ahead + n, f->n_ahead - n);
        f->n_ahead -= (unsigned)n;
        f->ops->read(f->opaque, buf, n);
    }
}

void mux_flush(struct chardev *c)
{
    struct mux *m = c->mux;

    for (unsigned i = 0; i < m->n && !c->delivering; i++) {
        c->delivering = true;
        fe_flush(&m->fe[i]);
        c->delivering = false;
    }
}

/* false: no room */
static bool put_byte(struct mux *m, uint8_t b)
{
    struct mux_fe *f;

    if (m->focus < 0 || m->fe[m->focus].n_ahead == AHEAD) {
        return false;
    }
    f = &m->fe[m->focus];
    f->ahead[f->n_ahead++] = b;
    fe_flush(f);
    return true;
}

static void say(struct chardev *c, const char *text)
{
    mux_write(c, (const uint8_t *)text, strlen(text));
}

static void command(struct chardev *c, uint8_t ch)
{
    struct mux *m = c->mux;

    switch (ch) {
    case 'c':
        set_focus(m, m->n ? (m->focus + 1) % (int)m->n : -1);
        break;
    case 'x':
        say(c, "Patchbay: Terminated\r\n");
        if (quit_fn) {
            quit_fn();
        }
        break;
    case 'b':
        fe_event(m, m->focus, CHARDEV_BREAK);
        break;
    case 't':
        m->stamps = !m->stamps;
        m->start_ns = -1;
        m->line_start = false;
        break;
    case 'h': case '?':
        say(c, "\r\n"
            "C-a h    print this help\r\n"
            "C-a x    exit emulator\r\n"
            "C-a t    toggle console timestamps\r\n"
            "C-a b    send break (magic sysrq)\r\n"
            "C-a c    switch between console and monitor\r\n"
            "C-a C-a  sends C-a\r\n");
        break;
    default:
        break;
    }
}

/* Bytes taken; stops where the front end with the focus has AHEAD bytes to read already. */
size_t mux_read(struct chardev *c, const uint8_t *buf, size_t len)
{
    struct mux *m = c->mux;
    size_t i;

    for (i = 0; i < len && c->mux; i++) {
        bool escaped = m->escaped;

        if (escaped && buf[i] != ESCAPE) {
            m->escaped = false;
            command(c, buf[i]);
            continue;
        }
        if (!escaped && buf[i] == ESCAPE) {
            m->escaped = true;
            continue;
        }
        if (!put_byte(m, buf[i])) {
            break;
        }
        m->escaped = false;
    }
    return i;
}

void mux_event(struct chardev *c, enum chardev_event ev)
{
    struct mux *m = c->mux;

    if (ev == CHARDEV_BREAK) {
        fe_event(m, m->focus, ev);
        return;
    }
    for (unsigned i = 0; i < m->n; i++) {
        fe_event(m, (int)i, ev);
    }
}

void mux_writable(struct chardev *c)
{
    struct mux *m = c->mux;

    for (unsigned i = 0; i < m->n; i++) {
        if (m->fe[i].ops->writable) {
            m->fe[i].ops->writable(m->fe[i].opaque);
        }
    }
}

static void put_stamp(struct chardev *c)
{
    struct mux *m = c->mux;
    int64_t now = clock_get_ns(CLOCK_RT), s;
    char text[32];

    if (m->start_ns < 0) {
        m->start_ns = now;
    }
    s = (now - m->start_ns) / NS_PER_MS;
    snprintf(text, sizeof(text), "[%02d:%02d:%02d.%03d] ", (int)(s / 3600000 % 100), (int)(s / 60000 % 60),
             (int)(s / 1000 % 60),
             (int)(s % 1000));
    c->ops->write(c, (const uint8_t *)text, strlen(text));
}

size_t mux_write(struct chardev *c, const uint8_t *buf, size_t len)
{
    struct mux *m = c->mux;
    size_t done = 0;

    if (!m->stamps) {
        return c->ops->write(c, buf, len);
    }
    while (done < len) {
        const uint8_t *nl = memchr(buf + done, '\n', len - done);
        size_t n = nl ? (size_t)(nl + 1 - (buf + done)) : len - done, took;

        if (m->line_start) {
            put_stamp(c);
            m->line_start = false;
        }
        took = c->ops->write(c, buf + done, n);
        done += took;
        if (took < n) {
            break;
        }
        m->line_start = nl != NULL;
    }
    return done;
}
