/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/i386/boot_unpack.h - the compressed part of a Linux kernel image, unpacked by the library that knows its format */
#ifndef HW_I386_BOOT_UNPACK_H
#define HW_I386_BOOT_UNPACK_H

#include "lib/error.h"
#include <stddef.h>
#include <stdint.h>

/* bytes behind the output that an unpacker may use, to see that there is no more */
enum { BOOT_UNPACK_SLACK = 16 };

/**
 * boot_unpack() - gzip, XZ, LZMA, Zstandard or LZ4, told by the first bytes
 * @in:   hostile
 * @out:  @out_len + BOOT_UNPACK_SLACK bytes
 * Return: false with the format and the reason, also when the result is not exactly @out_len bytes
 */
bool boot_unpack(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len, Error **errp);

#endif
