/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/bzimage.h - a Linux image made byte by byte: two segments (the second as per-CPU data lies, with virtual
 * addresses of its own), a table of relocations, a compression format, a setup header; and what it must look like in
 * memory
 */
#ifndef TESTS_LIB_BZIMAGE_H
#define TESTS_LIB_BZIMAGE_H

#include "lib/bits.h"
#include <glib.h>

#define BASE 0x1000000ull
#define ALIGN (2 * MiB)
#define INIT_SIZE (4 * MiB)
#define LOAD_ADDR 0x100000
#define KERNEL_SIZE 0x260000ull         /* in memory */
#define STUB 256                        /* bytes of "boot stub" before the payload */
#define KASLR 2                         /* in loadflags */

enum { SEG0 = 0x1000, SEG0_LEN = 0x42345, SEG1 = 0x44000, SEG1_AT = 0x220000, SEG1_LEN = 0x1800, ENTRY = 0x40 };

/* of the table of relocations: 64-bit kernels up to 6.14, later ones, those without, 32-bit kernels */
enum layout { THREE, TWO, NONE, BITS32 };
enum format { GZIP, XZ, LZMA, ZSTD, LZ4, FORMATS };
extern const char *const format_names[FORMATS];

/** ELF_LEN - where the table of relocations begins */
#define ELF_LEN(l) (SEG1 + SEG1_LEN + ((l) == BITS32 ? 40 : 128))

/** virt_of() - virtual address that its start is linked to */
uint64_t virt_of(enum layout l);
/** vmlinux() - the ELF file and the table behind it */
GByteArray *vmlinux(enum layout l);
/** expected() - KERNEL_SIZE bytes: what must be in memory when it runs @delta above the addresses it is linked to */
uint8_t *expected(enum layout l, uint64_t delta);
/** pack() - with the size behind it, as the kernel's build does it; NULL: not built in */
GByteArray *pack(enum format f, const uint8_t *in, size_t len);
/** bzimage() - around a packed payload */
GByteArray *bzimage(const GByteArray *payload, enum layout l);

#endif
