/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/monitor/cmd_mem.c - looking into memory, ports and CPUs */
#include "board.h"
#include "hmp.h"
#include "lib/bytes.h"
#include "mem/space.h"
#include "qmp.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct format {
    char letter;
    unsigned size;
    int64_t count;
};

static struct format format_of(const struct jval *args, unsigned size)
{
    struct format f = { 'x', size, 1 };
    int64_t v;

    if (jval_get_str(args, "format")) {
        f.letter = *jval_get_str(args, "format");
    }
    if (jval_get(args, "size") && jval_int_of(jval_get(args, "size"), &v)) {
        f.size = (unsigned)v;
    } else if (f.letter == 'c') {
        f.size = 1;
    }
    jval_int_of(jval_get(args, "count"), &f.count);
    return f;
}

static uint64_t uint_arg(const struct jval *args, const char *name)
{
    uint64_t v = 0;

    if (jval_get(args, name)) {
        jval_uint_of(jval_get(args, name), &v);
    }
    return v;
}

static void put_char(struct hmp *h, uint8_t c)
{
    switch (c) {
    case '\'':
        hmp_printf(h, "'\\''");
        break;
    case '\\':
        hmp_printf(h, "'\\\\'");
        break;
    case '\n':
        hmp_printf(h, "'\\n'");
        break;
    case '\r':
        hmp_printf(h, "'\\r'");
        break;
    default:
        hmp_printf(h, isprint(c) ? "'%c'" : "'\\x%02x'", c);
    }
}

static void put_value(struct hmp *h, const struct format *f, uint64_t v)
{
    int digits = (int)f->size * 2;
    int64_t sv = f->size == 8 ? (int64_t)v : (int64_t)(v << (64 - f->size * 8)) >> (64 - f->size * 8);

    switch (f->letter) {
    case 'o':
        hmp_printf(h, "0%0*" PRIo64, (int)(f->size * 8 + 2) / 3, v);
        break;
    case 'd':
        hmp_printf(h, "%" PRId64, sv);
        break;
    case 'u':
        hmp_printf(h, "%" PRIu64, v);
        break;
    case 'c':
        put_char(h, (uint8_t)v);
        break;
    default:
        hmp_printf(h, "0x%0*" PRIx64, digits, v);
    }
}

static bool read_mem(struct hmp *h, uint64_t addr, void *buf, size_t len, bool physical)
{
    return physical ? space_rw(board_memory(), addr, buf, len, false) : board_debug_read(h->cpu, addr, buf, len);
}

/* One line: up to 16 bytes, 8 characters. false: nothing there */
static bool dump_line(struct hmp *h, const struct format *f, uint64_t addr, unsigned n, bool physical)
{
    uint8_t buf[16];
    size_t len = (size_t)n * f->size;

    hmp_printf(h, "%016" PRIx64 ":", addr);
    if (!read_mem(h, addr, buf, len, physical)) {
        hmp_printf(h, " Cannot access memory\n");
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        hmp_printf(h, " ");
        put_value(h, f, ld_le_n(buf + i * f->size, f->size));
    }
    hmp_printf(h, "\n");
    return true;
}

/* x/Ni: instructions, as the CPU's present mode reads them */
static void disassemble(struct hmp *h, uint64_t addr, int64_t count, bool physical)
{
    for (; count > 0; count--) {
        uint8_t bytes[15];
        char text[128];
        unsigned avail = 0, len;

        while (avail < sizeof(bytes) && read_mem(h, addr + avail, bytes + avail, 1, physical)) {
            avail++;
        }
        len = board_disas(h->cpu, addr, bytes, avail, text, sizeof(text));
        if (!len) {
            hmp_printf(h, "0x%016" PRIx64 ":  Cannot access memory\n", addr);
            return;
        }
        hmp_printf(h, "0x%016" PRIx64 ":  ", addr);
        for (unsigned i = 0; i < len; i++) {
            hmp_printf(h, "%02x ", bytes[i]);
        }
        hmp_printf(h, "%*s%s\n", len < 8 ? (int)(8 - len) * 3 : 0, "", text);
        addr += len;
    }
}

static void dump(struct hmp *h, const struct jval *args, bool physical)
{
    struct format f = format_of(args, 4);
    uint64_t addr = uint_arg(args, "addr");
    unsigned per_line = f.letter == 'c' ? 8 : 16 / f.size;

    if (!board_memory() || (!physical && !board_cpus())) {
        hmp_printf(h, "no machine\n");
        return;
    }
    if (f.letter == 's') {
        hmp_printf(h, "format 's' is not built yet\n");
        return;
    }
    board_pause(true);
    if (f.letter == 'i') {
        disassemble(h, addr, f.count, physical);
        f.count = 0;
    }
    while (f.count > 0) {
        unsigned n = f.count < (int64_t)per_line ? (unsigned)f.count : per_line;

        if (!dump_line(h, &f, addr, n, physical)) {
            break;
        }
        addr += (uint64_t)n * f.size;
        f.count -= n;
    }
    board_pause(false);
}

void hmp_x(struct hmp *h, const struct jval *args)
{
    dump(h, args, false);
}

void hmp_xp(struct hmp *h, const struct jval *args)
{
    dump(h, args, true);
}

void hmp_print(struct hmp *h, const struct jval *args)
{
    struct format f = format_of(args, 8);

    if (f.letter == 'x') {
        hmp_printf(h, "0x%" PRIx64 "\n", uint_arg(args, "val"));
        return;
    }
    put_value(h, &f, uint_arg(args, "val"));
    hmp_printf(h, "\n");
}

void hmp_io_read(struct hmp *h, const struct jval *args)
{
    struct format f = format_of(args, 1);
    uint64_t port = uint_arg(args, "addr") & 0xFFFF;

    f.size = f.size > 4 ? 4 : f.size;
    if (!board_io()) {
        hmp_printf(h, "no machine\n");
        return;
    }
    hmp_printf(h, "port%c[0x%04x] = 0x%0*" PRIx64 "\n", f.size == 1 ? 'b' : f.size == 2 ? 'w' : 'l', (unsigned)port,
               (int)f.size * 2,
               space_read(board_io(), port, f.size));
}

void hmp_io_write(struct hmp *h, const struct jval *args)
{
    struct format f = format_of(args, 1);

    if (!board_io()) {
        hmp_printf(h, "no machine\n");
        return;
    }
    space_write(board_io(), uint_arg(args, "addr") & 0xFFFF, uint_arg(args, "val"), f.size > 4 ? 4 : f.size);
}

void hmp_info_mem(struct hmp *h, const struct jval *args)
{
    board_pause(true);
    board_print_mem(h->cpu, h->out);
    board_pause(false);
}

void hmp_info_registers(struct hmp *h, const struct jval *args)
{
    board_pause(true);
    board_print_regs(h->cpu, h->out);
    board_pause(false);
}

/* Text about the engine of CPU @cpu; NULL and *errp: there is none */
static GString *engine_text(unsigned cpu, void print(unsigned n, GString *out), Error **errp)
{
    GString *s;

    if (!board_cpus()) {
        error_setg(errp, "JIT information is only available with accel=tcg");
        return NULL;
    }
    s = g_string_new(NULL);
    board_pause(true);
    print(cpu, s);
    board_pause(false);
    return s;
}

static void hmp_engine_text(struct hmp *h, void print(unsigned n, GString *out))
{
    Error *err = NULL;
    GString *s = engine_text(h->cpu, print, &err);

    if (s) {
        hmp_printf(h, "%s", s->str);
        g_string_free(s, TRUE);
    }
    hmp_error(h, err);
}

void hmp_info_jit(struct hmp *h, const struct jval *args)
{
    hmp_engine_text(h, board_print_stats);
}

void hmp_info_opcount(struct hmp *h, const struct jval *args)
{
    hmp_engine_text(h, board_print_ops);
}

static bool qmp_engine_text(struct jval **ret, void print(unsigned n, GString *out), Error **errp)
{
    GString *s = engine_text(0, print, errp);

    if (!s) {
        return false;
    }
    *ret = jval_dict();
    jval_set_str(*ret, "human-readable-text", s->str);
    g_string_free(s, TRUE);
    return true;
}

bool qmp_x_query_jit(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    return qmp_engine_text(ret, board_print_stats, errp);
}

bool qmp_x_query_opcount(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    return qmp_engine_text(ret, board_print_ops, errp);
}

void hmp_info_mtree(struct hmp *h, const struct jval *args)
{
    struct addr_space *spaces[] = { board_memory(), board_io() };

    for (unsigned i = 0; i < 2 && spaces[i]; i++) {
        if (jval_get(args, "flat")) {
            hmp_printf(h, "FlatView of %s:\n", spaces[i]->name);
            space_print_flat(spaces[i], h->out);
        } else {
            hmp_printf(h, "address-space: %s\n", spaces[i]->name);
            region_print(spaces[i]->root, h->out);
        }
        hmp_printf(h, "\n");
    }
}
