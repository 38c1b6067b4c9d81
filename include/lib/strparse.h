/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/strparse.h - strict text to value: the whole string must be used, ranges are checked, nothing is printed */
#ifndef LIB_STRPARSE_H
#define LIB_STRPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** parse_u64() - decimal, 0x hexadecimal or 0 octal; no sign, no blanks; @max is inclusive */
bool parse_u64(const char *s, uint64_t max, uint64_t *out);
bool parse_i64(const char *s, int64_t min, int64_t max, int64_t *out);
/** parse_bool() - on/off, yes/no, true/false, y/n */
bool parse_bool(const char *s, bool *out);
/** parse_size() - bytes with an optional suffix B K M G T P E (powers of 1024; fractions as in 1.5G); a number without a suffix is multiplied by @unit */
bool parse_size(const char *s, uint64_t unit, uint64_t *out);
/** parse_mac() - six bytes separated by ':' or '-'; @strict: exactly two digits a byte, else one or two */
bool parse_mac(const char *s, bool strict, uint8_t mac[6]);
/** id_wellformed() - a letter, then letters, digits, '-', '.', '_' */
bool id_wellformed(const char *s);

#endif
