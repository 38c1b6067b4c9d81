/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/display/vga.h - VGA as far as text: the registers, and 0xA0000-0xBFFFF as plain memory
 *
 * Device "isa-vga". A guest finds a VGA in mode 3 (80x25, colour) and can print to it; vga_print_text() shows what is
 * there. Machine lock held throughout.
 */
#ifndef HW_DISPLAY_VGA_H
#define HW_DISPLAY_VGA_H

#include "core/device.h"
#include "mem/ram.h"
#include "mem/region.h"

#define TYPE_ISA_VGA    "isa-vga"
#define VGA_MEM_BASE    0xA0000u
#define VGA_MEM_SIZE    0x20000u

struct vga {
    struct device dev;          /* first member */
    struct ram_block *ram;
    struct region mem;
    struct region io[3];        /* 3B4-3BA, 3C0-3CF, 3D4-3DA */
    uint8_t misc, feature;
    uint8_t seq_index, seq[5];
    uint8_t gfx_index, gfx[9];
    uint8_t crtc_index, crtc[25];
    uint8_t attr_index, attr[21];
    bool attr_data;             /* 3C0 takes data next */
    uint8_t dac[768], dac_mask;
    unsigned dac_read, dac_write;   /* 0..767: next byte */
    bool dac_reading;
};

/** vga_print_text() - the text page on display, trailing blanks cut, a line each */
void vga_print_text(struct vga *s, GString *out);

extern const struct device_type vga_type;

#endif
