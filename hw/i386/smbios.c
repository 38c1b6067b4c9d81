/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/smbios.c - what "dmidecode" shows (SMBIOS 2.8, DSP0134)
 *
 * Entry point (5.2.1), then structures: formatted area, its strings each with a NUL, one NUL more. Handles are type <<
 * 8.
 */
#include "hw/i386/acpi.h"
#include "hw/i386/aml.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include <string.h>

enum { ENTRY_SIZE = 31, TABLES_AT = 32 };

struct writer {
    GByteArray *b;
    guint start;                /* of the structure being written */
    unsigned count, max;        /* structures; bytes of the largest one */
};

static void begin(struct writer *w, uint8_t type, unsigned index)
{
    w->start = w->b->len;
    aml_byte(w->b, type);
    aml_byte(w->b, 0);                      /* length of the formatted area: put in by end() */
    aml_bytes(w->b, 2, (unsigned)type << 8 | index);
}

static void end(struct writer *w, const char *const *strings)
{
    w->b->data[w->start + 1] = w->b->len - w->start;
    for (unsigned i = 0; strings && strings[i]; i++) {
        g_byte_array_append(w->b, (const uint8_t *)strings[i], strlen(strings[i]) + 1);
    }
    aml_bytes(w->b, strings && strings[0] ? 1 : 2, 0);
    w->count++;
    w->max = MAX(w->max, w->b->len - w->start);
}

static void type0_bios(struct writer *w, const struct smbios_info *info)
{
    const char *strings[] = { "Patchbay", info->version, "04/01/2024", NULL };

    begin(w, 0, 0);
    aml_byte(w->b, 1);                      /* vendor, version */
    aml_byte(w->b, 2);
    aml_bytes(w->b, 2, 0xF000);
    aml_byte(w->b, 3);                      /* date */
    aml_byte(w->b, 0);
    aml_bytes(w->b, 8, 0x08);               /* characteristics not supported */
    aml_byte(w->b, 0);
    aml_byte(w->b, 0x14);                   /* a virtual machine; targeted content */
    aml_bytes(w->b, 4, 0xFFFF0000);
    end(w, strings);
}

void smbios_parse_uuid(const char *text, uint8_t out[16])
{
    for (unsigned n = 0; n < 32 && *text; text++) {
        if (*text != '-') {
            int digit = g_ascii_xdigit_value(*text);

            out[n / 2] = (uint8_t)(n & 1 ? out[n / 2] | (digit & 15) : (digit & 15) << 4);
            n++;
        }
    }
}

/* 7.2.1: the first three fields little-endian; all zero: not set */
static void uuid(GByteArray *b, const char *text)
{
    static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
    uint8_t v[16] = { 0 };

    if (text) {
        smbios_parse_uuid(text, v);
    }
    for (unsigned i = 0; i < sizeof(v); i++) {
        aml_byte(b, v[order[i]]);
    }
}

static void type1_system(struct writer *w, const struct smbios_info *info)
{
    const char *strings[] = { "Patchbay", info->product, info->version, NULL };

    begin(w, 1, 0);
    aml_byte(w->b, 1);
    aml_byte(w->b, 2);
    aml_byte(w->b, 3);
    aml_byte(w->b, 0);                      /* serial number */
    uuid(w->b, info->uuid);
    aml_byte(w->b, 6);                      /* woken by the power switch */
    aml_bytes(w->b, 2, 0);
    end(w, strings);
}

static void type3_chassis(struct writer *w, const struct smbios_info *info)
{
    const char *strings[] = { "Patchbay", info->version, NULL };

    begin(w, 3, 0);
    aml_byte(w->b, 1);
    aml_byte(w->b, 1);                      /* other */
    aml_byte(w->b, 2);
    aml_bytes(w->b, 2, 0);
    aml_byte(w->b, 3);                      /* safe: boot-up, power, thermal */
    aml_byte(w->b, 3);
    aml_byte(w->b, 3);
    aml_byte(w->b, 2);                      /* security unknown */
    aml_bytes(w->b, 8, 0);
    end(w, strings);
}

static void type4_cpu(struct writer *w, unsigned n)
{
    g_autofree char *socket = g_strdup_printf("CPU %u", n);
    const char *strings[] = { socket, "Patchbay", NULL };

    begin(w, 4, n);
    aml_byte(w->b, 1);
    aml_byte(w->b, 3);                      /* central processor */
    aml_byte(w->b, 1);                      /* family: other */
    aml_byte(w->b, 2);
    aml_bytes(w->b, 8, 0);                  /* ID */
    aml_byte(w->b, 0);
    aml_byte(w->b, 0);
    aml_bytes(w->b, 2, 0);                  /* clocks unknown */
    aml_bytes(w->b, 2, 0);
    aml_bytes(w->b, 2, 0);
    aml_byte(w->b, 0x41);                   /* populated, enabled */
    aml_byte(w->b, 1);
    aml_bytes(w->b, 6, 0xFFFFFFFFFFFF);     /* no cache handles */
    aml_bytes(w->b, 3, 0);
    aml_byte(w->b, 1);                      /* cores, enabled, threads */
    aml_byte(w->b, 1);
    aml_byte(w->b, 1);
    aml_bytes(w->b, 2, 0x04);               /* 64-bit capable */
    aml_bytes(w->b, 2, 1);
    end(w, strings);
}

static void memory(struct writer *w, const struct smbios_info *info)
{
    static const char *const dimm[] = { "DIMM 0", "Patchbay", NULL };
    uint64_t mib = info->ram_size / MiB, kib = info->ram_size / KiB;

    begin(w, 16, 0);                        /* the array */
    aml_byte(w->b, 1);
    aml_byte(w->b, 3);
    aml_byte(w->b, 6);                      /* multi-bit ECC */
    aml_bytes(w->b, 4, kib < 0x80000000 ? kib : 0x80000000);
    aml_bytes(w->b, 2, 0xFFFE);
    aml_bytes(w->b, 2, 1);
    aml_bytes(w->b, 8, kib < 0x80000000 ? 0 : info->ram_size);
    end(w, NULL);

    begin(w, 17, 0);                        /* the one module */
    aml_bytes(w->b, 2, 16 << 8);
    aml_bytes(w->b, 2, 0xFFFE);
    aml_bytes(w->b, 2, 0xFFFF);
    aml_bytes(w->b, 2, 0xFFFF);
    aml_bytes(w->b, 2, mib < 0x7FFF ? mib : 0x7FFF);
    aml_byte(w->b, 9);                      /* DIMM */
    aml_byte(w->b, 0);
    aml_byte(w->b, 1);
    aml_byte(w->b, 0);
    aml_byte(w->b, 7);                      /* RAM */
    aml_bytes(w->b, 2, 2);
    aml_bytes(w->b, 2, 0);
    aml_byte(w->b, 2);
    aml_bytes(w->b, 3, 0);
    aml_byte(w->b, 0);
    aml_bytes(w->b, 4, mib < 0x7FFF ? 0 : mib);
    aml_bytes(w->b, 8, 0);
    end(w, dimm);

    begin(w, 19, 0);                        /* where it is, in KiB; larger ones in the 64-bit fields */
    aml_bytes(w->b, 4, kib - 1 < 0xFFFFFFFF ? 0 : 0xFFFFFFFF);
    aml_bytes(w->b, 4, kib - 1 < 0xFFFFFFFF ? kib - 1 : 0xFFFFFFFF);
    aml_bytes(w->b, 2, 16 << 8);
    aml_byte(w->b, 1);
    aml_bytes(w->b, 8, 0);
    aml_bytes(w->b, 8, kib - 1 < 0xFFFFFFFF ? 0 : info->ram_size - 1);
    end(w, NULL);
}

static uint8_t checksum(const uint8_t *p, size_t len)
{
    uint8_t sum = 0;

    while (len--) {
        sum += *p++;
    }
    return -sum;
}

static void entry_point(struct writer *w, uint32_t base)
{
    uint8_t *p = w->b->data;

    memcpy(p, "_SM_", 4);
    p[5] = ENTRY_SIZE;
    p[6] = 2;
    p[7] = 8;
    st_le16(p + 8, w->max);
    memcpy(p + 16, "_DMI_", 5);
    st_le16(p + 22, w->b->len - TABLES_AT);
    st_le32(p + 24, base + TABLES_AT);
    st_le16(p + 28, w->count);
    p[30] = 0x28;
    p[21] = checksum(p + 16, 15);
    p[4] = checksum(p, ENTRY_SIZE);
}

GByteArray *smbios_build(const struct smbios_info *info, uint32_t base)
{
    struct writer w = { .b = g_byte_array_new() };

    g_byte_array_set_size(w.b, TABLES_AT);
    memset(w.b->data, 0, TABLES_AT);
    type0_bios(&w, info);
    type1_system(&w, info);
    type3_chassis(&w, info);
    for (unsigned i = 0; i < info->cpus; i++) {
        type4_cpu(&w, i);
    }
    memory(&w, info);
    begin(&w, 32, 0);
    aml_bytes(w.b, 7, 0);                   /* no boot errors */
    end(&w, NULL);
    begin(&w, 127, 0);
    end(&w, NULL);
    entry_point(&w, base);
    return w.b;
}
