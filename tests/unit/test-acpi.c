/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-acpi.c - ACPI and SMBIOS tables: checksums, pointers, what they say; AML walked term by term (ACPI
 * 6.3, chapters 5 and 20)
 */
#include "hw/i386/acpi.h"
#include "lib/bytes.h"
#include <glib.h>
#include <string.h>

#define BASE 0xF0000u

static const struct acpi_info info = {
    .cpus = 2, .pci_mem_base = 0x08000000, .hpet = true, .vga = true, .serial = 0x5,
};

static uint8_t sum(const uint8_t *p, size_t n)
{
    uint8_t s = 0;

    while (n--) {
        s += *p++;
    }
    return s;
}

/* The table at a physical address, checked for bounds and checksum */
static const uint8_t *table(const GByteArray *t, uint64_t addr, const char *signature)
{
    const uint8_t *p;

    g_assert_cmphex(addr, >=, BASE);
    g_assert_cmpuint(addr - BASE + 36, <=, t->len);
    p = t->data + (addr - BASE);
    g_assert_cmpmem(p, 4, signature, 4);
    g_assert_cmpuint(addr - BASE + ld_le32(p + 4), <=, t->len);
    g_assert_cmpuint(sum(p, ld_le32(p + 4)), ==, 0);
    return p;
}

static void test_tables(void)
{
    GByteArray *t = acpi_build(&info, BASE);
    static const char *const want[] = { "FACP", "APIC", "HPET" };
    const uint8_t *rsdt, *xsdt, *fadt;

    g_assert_cmpmem(t->data, 8, "RSD PTR ", 8);
    g_assert_cmpuint(sum(t->data, 20), ==, 0);
    g_assert_cmpuint(sum(t->data, 36), ==, 0);
    rsdt = table(t, ld_le32(t->data + 16), "RSDT");
    xsdt = table(t, ld_le64(t->data + 24), "XSDT");
    g_assert_cmpuint(ld_le32(xsdt + 4), ==, 36 + 8 * 3);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmphex(ld_le32(rsdt + 36 + 4 * i), ==, ld_le64(xsdt + 36 + 8 * i));
        table(t, ld_le64(xsdt + 36 + 8 * i), want[i]);
    }
    fadt = table(t, ld_le64(xsdt + 36), "FACP");
    g_assert_cmpuint(ld_le32(fadt + 4), ==, 244);
    g_assert_cmphex(ld_le32(fadt + 36) & 63, ==, 0);            /* FACS on a multiple of 64 */
    g_assert_cmpmem(t->data + ld_le32(fadt + 36) - BASE, 4, "FACS", 4);
    table(t, ld_le32(fadt + 40), "DSDT");
    g_assert_cmphex(ld_le64(fadt + 140), ==, ld_le32(fadt + 40));
    g_assert_cmpuint(ld_le16(fadt + 46), ==, 9);                /* SCI */
    g_assert_cmphex(ld_le32(fadt + 48), ==, 0xB2);
    g_assert_cmphex(ld_le32(fadt + 56), ==, 0x600);
    g_assert_cmphex(ld_le32(fadt + 64), ==, 0x604);
    g_assert_cmphex(ld_le32(fadt + 76), ==, 0x608);
    g_assert_cmphex(fadt[108], ==, 0x32);                       /* century */
    g_assert_cmphex(ld_le32(fadt + 112) & (1 << 10), !=, 0);    /* reset register: port 0xCF9, 6 */
    g_assert_cmphex(ld_le64(fadt + 120), ==, 0xCF9);
    g_assert_cmphex(fadt[128], ==, 6);
    g_byte_array_free(t, TRUE);
}

static void test_madt(void)
{
    GByteArray *t = acpi_build(&info, BASE);
    const uint8_t *xsdt = table(t, ld_le64(t->data + 24), "XSDT"), *m = table(t, ld_le64(xsdt + 44), "APIC");
    unsigned n[8] = { 0 }, levels = 0;

    g_assert_cmphex(ld_le32(m + 36), ==, 0xFEE00000);
    for (unsigned at = 44; at < ld_le32(m + 4); at += m[at + 1]) {
        g_assert_cmpuint(m[at + 1], >=, 6);
        g_assert_cmpuint(m[at], <, 8);
        n[m[at]]++;
        if (m[at] == 2 && m[at + 3] == 0) {
            g_assert_cmpuint(ld_le32(m + at + 4), ==, 2);       /* the timer is on pin 2 */
        } else if (m[at] == 2) {
            g_assert_cmphex(ld_le16(m + at + 8), ==, 0x0D);     /* level, active high */
            levels |= 1u << m[at + 3];
        }
    }
    g_assert_cmpuint(n[0], ==, 2);
    g_assert_cmpuint(n[1], ==, 1);
    g_assert_cmpuint(n[4], ==, 1);
    g_assert_cmphex(levels, ==, 1 << 5 | 1 << 9 | 1 << 10 | 1 << 11);
    g_byte_array_free(t, TRUE);
}

/* ---- a walker for the AML that the builder can make ---- */

struct walk {
    const uint8_t *p, *end;
    unsigned devices, methods, prt;
    bool in_prt;
};

static void term(struct walk *w);

static const uint8_t *pkg_end(struct walk *w)
{
    const uint8_t *start = w->p;
    unsigned extra = *w->p >> 6, len = extra ? *w->p & 0xF : *w->p & 0x3F;

    w->p++;
    for (unsigned i = 0; i < extra; i++) {
        len |= (unsigned)*w->p++ << (4 + 8 * i);
    }
    g_assert_true(start + len <= w->end);
    return start + len;
}

static void name(struct walk *w, char out[5])
{
    unsigned segs = 1;

    while (*w->p == '\\' || *w->p == '^') {
        w->p++;
    }
    if (*w->p == 0x2E) {
        segs = 2;
        w->p++;
    } else if (*w->p == 0x2F) {
        segs = w->p[1];
        w->p += 2;
    }
    g_assert_cmpuint(segs, >, 0);
    for (; segs; segs--, w->p += 4) {
        for (unsigned i = 0; i < 4; i++) {
            g_assert_true(g_ascii_isupper(w->p[i]) || w->p[i] == '_' || (i && g_ascii_isdigit(w->p[i])));
        }
        memcpy(out, w->p, 4);
        out[4] = 0;
    }
}

static void body(struct walk *w, const uint8_t *end)
{
    const uint8_t *outer = w->end;

    w->end = end;
    while (w->p < end) {
        term(w);
    }
    g_assert_true(w->p == end);                 /* nothing runs over the end of its package */
    w->end = outer;
}

static void extended(struct walk *w)
{
    const uint8_t *end;
    char n[5];

    switch (*w->p++) {
    case 0x82:                                  /* Device */
        end = pkg_end(w);
        name(w, n);
        w->devices++;
        body(w, end);
        break;
    case 0x80:                                  /* OperationRegion */
        name(w, n);
        w->p++;
        term(w);
        term(w);
        break;
    case 0x81:                                  /* Field */
        end = pkg_end(w);
        name(w, n);
        w->p++;
        while (w->p < end) {
            w->p += 5;
        }
        g_assert_true(w->p == end);
        break;
    default:
        g_assert_not_reached();
    }
}

static void term(struct walk *w)
{
    const uint8_t *end;
    char n[5];
    uint8_t op = *w->p;

    if (op == '\\' || op == '^' || op == '_' || g_ascii_isupper(op) || op == 0x2E || op == 0x2F) {
        name(w, n);
        return;
    }
    w->p++;
    switch (op) {
    case 0x00: case 0x01: case 0x68:
        break;
    case 0x0A:
        w->p += 1;
        break;
    case 0x0B:
        w->p += 2;
        break;
    case 0x0C:
        w->p += 4;
        break;
    case 0x0D:
        w->p += strlen((const char *)w->p) + 1;
        break;
    case 0x08:                                  /* Name */
        name(w, n);
        w->in_prt = !strcmp(n, "_PRT");
        term(w);
        w->in_prt = false;
        break;
    case 0x10:                                  /* Scope */
        end = pkg_end(w);
        name(w, n);
        body(w, end);
        break;
    case 0x11:                                  /* Buffer: size, bytes; ours are resource templates */
        end = pkg_end(w);
        term(w);
        g_assert_cmphex(end[-2], ==, 0x79);
        w->p = end;
        break;
    case 0x12:                                  /* Package */
        end = pkg_end(w);
        w->prt += w->in_prt && *w->p == 4;
        w->p++;
        body(w, end);
        break;
    case 0x14:                                  /* Method */
        end = pkg_end(w);
        name(w, n);
        w->p++;
        w->methods++;
        body(w, end);
        break;
    case 0x7B: case 0x7D:                       /* And, Or */
        term(w);
        term(w);
        term(w);
        break;
    case 0x8A:                                  /* CreateDWordField */
        term(w);
        term(w);
        name(w, n);
        break;
    case 0xA0:                                  /* If */
        end = pkg_end(w);
        body(w, end);
        break;
    case 0xA4:                                  /* Return */
        term(w);
        break;
    case 0x5B:
        extended(w);
        break;
    default:
        g_error("AML opcode 0x%02x", op);
    }
}

static void test_dsdt(void)
{
    static const struct acpi_info infos[] = {
        { .cpus = 1, .pci_mem_base = 0x8000000 },
        { .cpus = 64, .pci_mem_base = 0xC0000000, .hpet = true, .vga = true, .serial = 0xF },
    };
    /* PCI0, ISA, KBD, MOU, RTC, LNKA-D, LNKS, MBRD, FWCF; then CPUs, serial ports, HPET */
    static const unsigned devices[] = { 12 + 1, 12 + 64 + 4 + 1 };

    for (unsigned i = 0; i < G_N_ELEMENTS(infos); i++) {
        GByteArray *t = acpi_dsdt_build(&infos[i]);
        struct walk w = { t->data + 36, t->data + t->len };

        g_assert_cmpuint(sum(t->data, t->len), ==, 0);
        g_assert_cmpuint(ld_le32(t->data + 4), ==, t->len);
        body(&w, w.end);
        g_assert_cmpuint(w.devices, ==, devices[i]);
        g_assert_cmpuint(w.methods, ==, 4 * 4 + 2);
        g_assert_cmpuint(w.prt, ==, 128);
        g_byte_array_free(t, TRUE);
    }
}

static void test_smbios(void)
{
    struct smbios_info si = {
        .cpus = 3, .ram_size = 6ull << 30, .product = "Board", .version = "v1",
        .uuid = "00112233-4455-6677-8899-aabbccddeeff",
    };
    static const uint8_t uuid[] = {
        0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF,
    };
    GByteArray *t = smbios_build(&si, BASE);
    unsigned at = ld_le32(t->data + 24) - BASE, count = 0, type = 0, cpus = 0;

    g_assert_cmpmem(t->data, 4, "_SM_", 4);
    g_assert_cmpuint(sum(t->data, t->data[5]), ==, 0);
    g_assert_cmpuint(sum(t->data + 16, 15), ==, 0);
    g_assert_cmpuint(at + ld_le16(t->data + 22), ==, t->len);
    while (at < t->len) {
        unsigned start = at;

        type = t->data[at];
        cpus += type == 4;
        if (type == 1) {
            g_assert_cmpmem(t->data + at + 8, 16, uuid, 16);
            g_assert_cmpstr((const char *)t->data + at + t->data[at + 1], ==, "Patchbay");
        }
        at += t->data[at + 1];
        while (t->data[at] || t->data[at + 1]) {
            at++;
            g_assert_cmpuint(at + 1, <, t->len);
        }
        at += 2;
        count++;
        g_assert_cmpuint(at - start, <=, ld_le16(t->data + 8));
    }
    g_assert_cmpuint(type, ==, 127);
    g_assert_cmpuint(cpus, ==, 3);
    g_assert_cmpuint(count, ==, ld_le16(t->data + 28));
    g_byte_array_free(t, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/acpi/tables", test_tables);
    g_test_add_func("/acpi/madt", test_madt);
    g_test_add_func("/acpi/dsdt", test_dsdt);
    g_test_add_func("/acpi/smbios", test_smbios);
    return g_test_run();
}
