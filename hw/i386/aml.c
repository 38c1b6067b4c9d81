/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/i386/aml.c - ACPI machine language: opcodes and encodings of ACPI 6.3 sections 20.2 and 6.4 */
#include "hw/i386/aml.h"
#include "lib/bits.h"
#include <string.h>

enum {
    OP_ZERO = 0x00, OP_ONE = 0x01, OP_NAME = 0x08, OP_BYTE = 0x0A, OP_WORD = 0x0B, OP_DWORD = 0x0C, OP_STRING = 0x0D,
    OP_QWORD = 0x0E, OP_SCOPE = 0x10, OP_BUFFER = 0x11, OP_PACKAGE = 0x12, OP_METHOD = 0x14, OP_DUAL_NAME = 0x2E,
    OP_MULTI_NAME = 0x2F, OP_EXT = 0x5B, OP_ROOT = 0x5C, OP_ARG0 = 0x68, OP_STORE = 0x70, OP_AND = 0x7B, OP_OR = 0x7D,
    OP_CREATE_DWORD_FIELD = 0x8A, OP_IF = 0xA0, OP_RETURN = 0xA4,
    EXT_REGION = 0x80, EXT_FIELD = 0x81, EXT_DEVICE = 0x82,
};
enum { METHOD_SERIALIZED = 1 << 3, FIELD_BYTE_ACC = 0x01 };

void aml_byte(GByteArray *b, uint8_t v)
{
    g_byte_array_append(b, &v, 1);
}

void aml_bytes(GByteArray *b, unsigned size, uint64_t v)
{
    for (unsigned i = 0; i < size; i++) {
        aml_byte(b, v >> (8 * i));
    }
}

static void name_seg(GByteArray *b, const char *s, size_t len)
{
    char seg[4] = { '_', '_', '_', '_' };

    memcpy(seg, s, MIN(len, sizeof(seg)));
    g_byte_array_append(b, (const uint8_t *)seg, sizeof(seg));
}

void aml_path(GByteArray *b, const char *path)
{
    unsigned segs = 1;

    if (*path == '\\') {
        aml_byte(b, OP_ROOT);
        path++;
    }
    for (; *path == '^'; path++) {
        aml_byte(b, '^');
    }
    for (const char *p = path; *p; p++) {
        segs += *p == '.';
    }
    if (segs == 2) {
        aml_byte(b, OP_DUAL_NAME);
    } else if (segs > 2) {
        aml_byte(b, OP_MULTI_NAME);
        aml_byte(b, segs);
    }
    while (segs--) {
        size_t len = strcspn(path, ".");

        name_seg(b, path, len);
        path += len + (path[len] == '.');
    }
}

void aml_int(GByteArray *b, uint64_t v)
{
    if (v <= 1) {
        aml_byte(b, v ? OP_ONE : OP_ZERO);
    } else if (v <= 0xFF) {
        aml_byte(b, OP_BYTE);
        aml_bytes(b, 1, v);
    } else if (v <= 0xFFFF) {
        aml_byte(b, OP_WORD);
        aml_bytes(b, 2, v);
    } else if (v <= 0xFFFFFFFF) {
        aml_byte(b, OP_DWORD);
        aml_bytes(b, 4, v);
    } else {
        aml_byte(b, OP_QWORD);
        aml_bytes(b, 8, v);
    }
}

void aml_string(GByteArray *b, const char *s)
{
    aml_byte(b, OP_STRING);
    g_byte_array_append(b, (const uint8_t *)s, strlen(s) + 1);
}

/* Three letters of five bits, four hex digits; big-endian (ACPI 6.3, 19.6.37) */
void aml_eisaid(GByteArray *b, const char *id)
{
    uint32_t v = (id[0] - 0x40u) << 26 | (id[1] - 0x40u) << 21 | (id[2] - 0x40u) << 16;

    for (unsigned i = 0; i < 4; i++) {
        v |= (uint32_t)g_ascii_xdigit_value(id[3 + i]) << (12 - 4 * i);
    }
    aml_byte(b, OP_DWORD);
    aml_bytes(b, 4, GUINT32_SWAP_LE_BE(v));
}

/* ---- constructs with a length ---- */

static aml_mark mark(GByteArray *b)
{
    return (aml_mark){ b->len };
}

/* PkgLength counts itself: 20.2.4 */
void aml_close(GByteArray *b, aml_mark m)
{
    unsigned body = b->len - m.at, n = body + 1 < 64 ? 1 : body + 2 < 4096 ? 2 : body + 3 < 1u << 20 ? 3 : 4;
    unsigned len = body + n;
    uint8_t enc[4];

    enc[0] = n == 1 ? len : (n - 1) << 6 | (len & 0xF);
    for (unsigned i = 1; i < n; i++) {
        enc[i] = len >> (4 + 8 * (i - 1));
    }
    g_byte_array_set_size(b, b->len + n);
    memmove(b->data + m.at + n, b->data + m.at, body);
    memcpy(b->data + m.at, enc, n);
}

aml_mark aml_scope(GByteArray *b, const char *path)
{
    aml_mark m;

    aml_byte(b, OP_SCOPE);
    m = mark(b);
    aml_path(b, path);
    return m;
}

aml_mark aml_device(GByteArray *b, const char *name)
{
    aml_mark m;

    aml_byte(b, OP_EXT);
    aml_byte(b, EXT_DEVICE);
    m = mark(b);
    aml_path(b, name);
    return m;
}

aml_mark aml_method(GByteArray *b, const char *name, unsigned args)
{
    aml_mark m;

    aml_byte(b, OP_METHOD);
    m = mark(b);
    aml_path(b, name);
    aml_byte(b, args | METHOD_SERIALIZED);
    return m;
}

aml_mark aml_package(GByteArray *b, unsigned elements)
{
    aml_mark m;

    aml_byte(b, OP_PACKAGE);
    m = mark(b);
    aml_byte(b, elements);
    return m;
}

aml_mark aml_if(GByteArray *b)
{
    aml_byte(b, OP_IF);
    return mark(b);
}

aml_mark aml_field(GByteArray *b, const char *region)
{
    aml_mark m;

    aml_byte(b, OP_EXT);
    aml_byte(b, EXT_FIELD);
    m = mark(b);
    aml_path(b, region);
    aml_byte(b, FIELD_BYTE_ACC);
    return m;
}

void aml_field_unit(GByteArray *b, const char *name, unsigned bits)
{
    aml_path(b, name);
    aml_byte(b, bits);                      /* a PkgLength that does not count itself; below 64 here */
}

/* ---- terms ---- */

void aml_name(GByteArray *b, const char *name)
{
    aml_byte(b, OP_NAME);
    aml_path(b, name);
}

void aml_name_int(GByteArray *b, const char *name, uint64_t v)
{
    aml_name(b, name);
    aml_int(b, v);
}

void aml_return(GByteArray *b)
{
    aml_byte(b, OP_RETURN);
}

void aml_and(GByteArray *b)
{
    aml_byte(b, OP_AND);
}

void aml_or(GByteArray *b)
{
    aml_byte(b, OP_OR);
}

void aml_store(GByteArray *b)
{
    aml_byte(b, OP_STORE);
}

void aml_no_target(GByteArray *b)
{
    aml_byte(b, OP_ZERO);
}

void aml_arg(GByteArray *b, unsigned n)
{
    aml_byte(b, OP_ARG0 + n);
}

void aml_dword_field(GByteArray *b, const char *buffer_path, unsigned offset, const char *name)
{
    aml_byte(b, OP_CREATE_DWORD_FIELD);
    aml_path(b, buffer_path);
    aml_int(b, offset);
    aml_path(b, name);
}

void aml_dword_field_arg(GByteArray *b, unsigned arg, unsigned offset, const char *name)
{
    aml_byte(b, OP_CREATE_DWORD_FIELD);
    aml_arg(b, arg);
    aml_int(b, offset);
    aml_path(b, name);
}

void aml_op_region(GByteArray *b, const char *name, uint8_t space, uint64_t offset, uint64_t len)
{
    aml_byte(b, OP_EXT);
    aml_byte(b, EXT_REGION);
    aml_path(b, name);
    aml_byte(b, space);
    aml_int(b, offset);
    aml_int(b, len);
}

/* ---- resource templates ---- */

enum {
    RES_IRQ = 0x22, RES_IO = 0x47, RES_END = 0x79, RES_MEM32_FIXED = 0x86, RES_DWORD = 0x87, RES_WORD = 0x88,
    RES_EXT_IRQ = 0x89,
};
enum { ADDR_MEMORY = 0, ADDR_IO = 1, ADDR_BUS = 2, ADDR_MIN_MAX_FIXED = 0x0C };

GByteArray *aml_resources(void)
{
    return g_byte_array_new();
}

void aml_resources_end(GByteArray *b, GByteArray *res)
{
    aml_mark m;

    aml_byte(res, RES_END);
    aml_byte(res, 0);                       /* checksum 0: not used */
    aml_byte(b, OP_BUFFER);
    m = mark(b);
    aml_int(b, res->len);
    g_byte_array_append(b, res->data, res->len);
    aml_close(b, m);
    g_byte_array_free(res, TRUE);
}

void res_io(GByteArray *r, uint16_t base, uint8_t len)
{
    aml_byte(r, RES_IO);
    aml_byte(r, 1);                         /* decodes 16 bits */
    aml_bytes(r, 2, base);
    aml_bytes(r, 2, base);
    aml_byte(r, 1);
    aml_byte(r, len);
}

void res_irq(GByteArray *r, unsigned irq)
{
    aml_byte(r, RES_IRQ);
    aml_bytes(r, 2, BIT(irq));
}

void res_interrupts_level(GByteArray *r, const uint8_t *irqs, unsigned n)
{
    aml_byte(r, RES_EXT_IRQ);
    aml_bytes(r, 2, 2 + 4 * n);
    aml_byte(r, 0x09);                      /* consumer, level, active high, shared */
    aml_byte(r, n);
    for (unsigned i = 0; i < n; i++) {
        aml_bytes(r, 4, irqs[i]);
    }
}

void res_memory32(GByteArray *r, uint32_t base, uint32_t len)
{
    aml_byte(r, RES_MEM32_FIXED);
    aml_bytes(r, 2, 9);
    aml_byte(r, 1);                         /* read and write */
    aml_bytes(r, 4, base);
    aml_bytes(r, 4, len);
}

static void res_word(GByteArray *r, uint8_t type, uint8_t flags, uint16_t first, uint16_t last)
{
    aml_byte(r, RES_WORD);
    aml_bytes(r, 2, 13);
    aml_byte(r, type);
    aml_byte(r, ADDR_MIN_MAX_FIXED);
    aml_byte(r, flags);
    aml_bytes(r, 2, 0);
    aml_bytes(r, 2, first);
    aml_bytes(r, 2, last);
    aml_bytes(r, 2, 0);
    aml_bytes(r, 2, last - first + 1u);
}

void res_bus_numbers(GByteArray *r, uint16_t first, uint16_t last)
{
    res_word(r, ADDR_BUS, 0, first, last);
}

void res_word_io(GByteArray *r, uint16_t first, uint16_t last)
{
    res_word(r, ADDR_IO, 3, first, last);
}

void res_dword_memory(GByteArray *r, uint32_t first, uint32_t last)
{
    aml_byte(r, RES_DWORD);
    aml_bytes(r, 2, 23);
    aml_byte(r, ADDR_MEMORY);
    aml_byte(r, ADDR_MIN_MAX_FIXED);
    aml_byte(r, 1);                         /* read and write, not cacheable */
    aml_bytes(r, 4, 0);
    aml_bytes(r, 4, first);
    aml_bytes(r, 4, last);
    aml_bytes(r, 4, 0);
    aml_bytes(r, 4, last - first + 1);
}
