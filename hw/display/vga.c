/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/display/vga.c - VGA registers and text memory (IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem")
 *
 *   3C0/3C1 attribute   3C2 misc w, status 0 r   3C4/5 sequencer   3C6-3C9 palette   3CA feature r   3CC misc r
 *   3CE/F graphics      3D4/5 CRTC   3DA status 1 r, feature w (3B4.. instead when misc bit 0 is 0)
 *
 * Registers are kept with their writable bits; nothing is drawn. In text modes memory is linear as seen through
 * odd/even addressing, so the window is plain RAM. Status 1 derives retrace from virtual time: 70 Hz, 31.5 kHz.
 */
#include "hw/display/vga.h"
#include "core/clock.h"
#include "hw/isa/isa.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include <string.h>

enum { MISC_COLOR = 1 << 0 };
enum { ST1_BLANK = 1 << 0, ST1_RETRACE = 1 << 3 };
enum {
    CRTC_MAX_SCAN = 9, CRTC_START_HIGH = 12, CRTC_START_LOW = 13, CRTC_VSYNC_END = 17, CRTC_VDISP_END = 18,
    CRTC_HDISP_END = 1, CRTC_OVERFLOW = 7, CRTC_OFFSET = 19,
};

/* Mode 3 as the video BIOS sets it up: 80 x 25, 9 x 16 cells */
static const uint8_t mode3_seq[5] = { 0x03, 0x00, 0x03, 0x00, 0x02 };
static const uint8_t mode3_gfx[9] = { 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0E, 0x0F, 0xFF };
static const uint8_t mode3_crtc[25] = {
    0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00, 0x4F, 0x0D, 0x0E, 0x00,
    0x00, 0x00, 0x00, 0x9C, 0x8E, 0x8F, 0x28, 0x1F, 0x96, 0xB9, 0xA3, 0xFF,
};
static const uint8_t mode3_attr[21] = {
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F, 0x0C, 0x00, 0x0F,
    0x08, 0x00,
};
static const uint8_t seq_mask[5] = { 0x03, 0x3D, 0x0F, 0x3F, 0x0E };
static const uint8_t gfx_mask[9] = { 0x0F, 0x0F, 0x0F, 0x1F, 0x03, 0x7B, 0x0F, 0x0F, 0xFF };
static const uint8_t attr_mask[21] = {
    0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0xEF, 0xFF, 0x3F,
    0x0F, 0x0F,
};

static uint8_t status1(struct vga *s)
{
    int64_t ns = clock_get_ns(CLOCK_VIRTUAL), frame = ns % (NS_PER_SEC / 70), line = ns % (NS_PER_SEC / 31469);
    bool vertical = frame < 64 * NS_PER_US;

    s->attr_data = false;                   /* reading it resets the attribute flip-flop */
    return (vertical ? ST1_RETRACE : 0) | (vertical || line < 6 * NS_PER_US ? ST1_BLANK : 0);
}

static void attr_write(struct vga *s, uint8_t v)
{
    if (!s->attr_data) {
        s->attr_index = v & 0x3F;
    } else if ((s->attr_index & 0x1F) < ARRAY_LEN(s->attr)) {
        unsigned i = s->attr_index & 0x1F;

        s->attr[i] = v & attr_mask[i];
    }
    s->attr_data = !s->attr_data;
}

static void crtc_write(struct vga *s, uint8_t v)
{
    unsigned i = s->crtc_index;

    if (i >= ARRAY_LEN(s->crtc)) {
        return;
    }
    if (i <= CRTC_OVERFLOW && (s->crtc[CRTC_VSYNC_END] & 0x80)) {   /* protect bit: of 7 only line compare bit 8 */
        if (i == CRTC_OVERFLOW) {
            s->crtc[i] = (s->crtc[i] & ~0x10) | (v & 0x10);
        }
        return;
    }
    s->crtc[i] = v;
}

static uint8_t dac_data_read(struct vga *s)
{
    uint8_t v = s->dac[s->dac_read];

    s->dac_read = (s->dac_read + 1) % sizeof(s->dac);
    return v;
}

static uint8_t reg_read(struct vga *s, unsigned port)
{
    switch (port) {
    case 0x3C0:
        return s->attr_index;
    case 0x3C1:
        return (s->attr_index & 0x1F) < ARRAY_LEN(s->attr) ? s->attr[s->attr_index & 0x1F] : 0;
    case 0x3C2:
        return 0x10;                        /* switch sense: a colour monitor */
    case 0x3C4:
        return s->seq_index;
    case 0x3C5:
        return s->seq_index < ARRAY_LEN(s->seq) ? s->seq[s->seq_index] : 0;
    case 0x3C6:
        return s->dac_mask;
    case 0x3C7:
        return s->dac_reading ? 3 : 0;
    case 0x3C8:
        return s->dac_write / 3;
    case 0x3C9:
        return dac_data_read(s);
    case 0x3CA:
        return s->feature;
    case 0x3CC:
        return s->misc;
    case 0x3CE:
        return s->gfx_index;
    case 0x3CF:
        return s->gfx_index < ARRAY_LEN(s->gfx) ? s->gfx[s->gfx_index] : 0;
    case 0x3D4:
        return s->crtc_index;
    case 0x3D5:
        return s->crtc_index < ARRAY_LEN(s->crtc) ? s->crtc[s->crtc_index] : 0;
    case 0x3DA:
        return status1(s);
    default:
        return 0xFF;
    }
}

static void reg_write(struct vga *s, unsigned port, uint8_t v)
{
    switch (port) {
    case 0x3C0:
        attr_write(s, v);
        break;
    case 0x3C2:
        s->misc = v & 0xEF;
        break;
    case 0x3C4:
        s->seq_index = v & 7;
        break;
    case 0x3C5:
        if (s->seq_index < ARRAY_LEN(s->seq)) {
            s->seq[s->seq_index] = v & seq_mask[s->seq_index];
        }
        break;
    case 0x3C6:
        s->dac_mask = v;
        break;
    case 0x3C7:
        s->dac_read = v * 3;
        s->dac_reading = true;
        break;
    case 0x3C8:
        s->dac_write = v * 3;
        s->dac_reading = false;
        break;
    case 0x3C9:
        s->dac[s->dac_write] = v & 0x3F;
        s->dac_write = (s->dac_write + 1) % sizeof(s->dac);
        break;
    case 0x3CE:
        s->gfx_index = v & 0xF;
        break;
    case 0x3CF:
        if (s->gfx_index < ARRAY_LEN(s->gfx)) {
            s->gfx[s->gfx_index] = v & gfx_mask[s->gfx_index];
        }
        break;
    case 0x3D4:
        s->crtc_index = v & 0x1F;
        break;
    case 0x3D5:
        crtc_write(s, v);
        break;
    case 0x3DA:
        s->feature = v & 0x13;
        break;
    default:
        break;
    }
}

/* The CRTC and status 1 are at 3Bx or 3Dx as misc bit 0 says; at the other place nobody answers. */
static uint64_t mono_read(void *opaque, uint64_t off, unsigned size)
{
    struct vga *s = opaque;

    return s->misc & MISC_COLOR ? 0xFF : reg_read(s, 0x3D4 + (unsigned)off);
}

static void mono_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct vga *s = opaque;

    if (!(s->misc & MISC_COLOR)) {
        reg_write(s, 0x3D4 + (unsigned)off, val);
    }
}

static uint64_t color_read(void *opaque, uint64_t off, unsigned size)
{
    struct vga *s = opaque;

    return s->misc & MISC_COLOR ? reg_read(s, 0x3D4 + (unsigned)off) : 0xFF;
}

static void color_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct vga *s = opaque;

    if (s->misc & MISC_COLOR) {
        reg_write(s, 0x3D4 + (unsigned)off, val);
    }
}

static uint64_t both_read(void *opaque, uint64_t off, unsigned size)
{
    return reg_read(opaque, 0x3C0 + (unsigned)off);
}

static void both_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    reg_write(opaque, 0x3C0 + (unsigned)off, val);
}

static const struct region_ops mono_ops = { mono_read, mono_write, 1, 1 };
static const struct region_ops both_ops = { both_read, both_write, 1, 1 };
static const struct region_ops color_ops = { color_read, color_write, 1, 1 };

void vga_print_text(struct vga *s, GString *out)
{
    unsigned cols = s->crtc[CRTC_HDISP_END] + 1u, cell = (s->crtc[CRTC_MAX_SCAN] & 0x1F) + 1u,
             pitch = s->crtc[CRTC_OFFSET] * 4u;
    unsigned lines = s->crtc[CRTC_VDISP_END] | (s->crtc[CRTC_OVERFLOW] & 2) << 7 | (s->crtc[CRTC_OVERFLOW] & 0x40) << 3;
    unsigned rows = (lines + 1) / cell, start = (s->crtc[CRTC_START_HIGH] << 8 | s->crtc[CRTC_START_LOW]) * 2u;
    unsigned window = s->gfx[6] >> 2 & 3, base = window == 3 ? 0x18000 : window == 2 ? 0x10000 : 0;

    if (s->gfx[6] & 1) {
        g_string_append(out, "(graphics mode)\n");
        return;
    }
    for (unsigned y = 0; y < MIN(rows, 100u); y++) {
        gsize begin = out->len, end = begin;

        for (unsigned x = 0; x < cols; x++) {
            uint8_t c = s->ram->host[base + (start + y * pitch + x * 2) % 0x8000];

            g_string_append_c(out, c >= 0x20 && c < 0x7F ? (char)c : c ? '?' : ' ');
            end = c && c != ' ' ? out->len : end;
        }
        g_string_truncate(out, end);
        g_string_append_c(out, '\n');
    }
}

/* ---- device ---- */

static bool vga_realize(struct device *d, Error **errp)
{
    static const struct region_ops *const ops[] = { &mono_ops, &both_ops, &color_ops };
    static const uint16_t ports[] = { 0x3B4, 0x3C0, 0x3D4 }, sizes[] = { 7, 16, 7 };
    struct vga *s = (struct vga *)d;

    s->ram = ram_new("vga.vram", VGA_MEM_SIZE, errp);
    if (!s->ram) {
        return false;
    }
    region_init_ram(&s->mem, "vga.vram", s->ram, false);
    region_add(isa_bus_of(d->bus)->mem, VGA_MEM_BASE, &s->mem, 1);
    for (unsigned i = 0; i < ARRAY_LEN(s->io); i++) {
        region_init_io(&s->io[i], "vga", sizes[i], ops[i], s);
        isa_io_add(d, ports[i], &s->io[i]);
    }
    return true;
}

static void vga_unrealize(struct device *d)
{
    struct vga *s = (struct vga *)d;

    for (unsigned i = 0; i < ARRAY_LEN(s->io); i++) {
        region_fini(&s->io[i]);
    }
    region_fini(&s->mem);
    ram_free(g_steal_pointer(&s->ram));
}

/* As a video BIOS leaves it */
static void vga_reset(struct device *d)
{
    struct vga *s = (struct vga *)d;

    s->misc = 0x67;
    s->feature = s->seq_index = s->gfx_index = s->crtc_index = 0;
    s->attr_index = 0x20;
    s->attr_data = s->dac_reading = false;
    s->dac_mask = 0xFF;
    s->dac_read = s->dac_write = 0;
    memcpy(s->seq, mode3_seq, sizeof(s->seq));
    memcpy(s->gfx, mode3_gfx, sizeof(s->gfx));
    memcpy(s->crtc, mode3_crtc, sizeof(s->crtc));
    memcpy(s->attr, mode3_attr, sizeof(s->attr));
}

const struct device_type vga_type = {
    .name = TYPE_ISA_VGA,
    .desc = "VGA, text only",
    .bus = "ISA",
    .size = sizeof(struct vga),
    .category = DEVICE_CAT_DISPLAY,
    .realize = vga_realize,
    .unrealize = vga_unrealize,
    .reset = vga_reset,
};
