/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/bytes.h - unaligned loads and stores in a stated byte order, and wire types
 *
 * leN and beN are the types of fields in wire structs: they say how the bytes lie; le32_get(x) gives the host's value.
 */
#ifndef LIB_BYTES_H
#define LIB_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

typedef struct { uint16_t raw; } __attribute__((packed)) le16;
typedef struct { uint32_t raw; } __attribute__((packed)) le32;
typedef struct { uint64_t raw; } __attribute__((packed)) le64;
typedef struct { uint16_t raw; } __attribute__((packed)) be16;
typedef struct { uint32_t raw; } __attribute__((packed)) be32;

static inline uint16_t le16_get(le16 v) { return le16toh(v.raw); }
static inline uint32_t le32_get(le32 v) { return le32toh(v.raw); }
static inline uint64_t le64_get(le64 v) { return le64toh(v.raw); }
static inline uint16_t be16_get(be16 v) { return be16toh(v.raw); }
static inline uint32_t be32_get(be32 v) { return be32toh(v.raw); }
static inline le16 le16_of(uint16_t v) { return (le16){ htole16(v) }; }
static inline le32 le32_of(uint32_t v) { return (le32){ htole32(v) }; }
static inline le64 le64_of(uint64_t v) { return (le64){ htole64(v) }; }
static inline be16 be16_of(uint16_t v) { return (be16){ htobe16(v) }; }
static inline be32 be32_of(uint32_t v) { return (be32){ htobe32(v) }; }

#define BYTES_LDST(name, type, conv_in, conv_out)                                                                      \
    static inline type ld_##name(const void *p)                                                                        \
    {                                                                                                                  \
        type v;                                                                                                        \
                                                                                                                       \
        memcpy(&v, p, sizeof(v));                                                                                      \
        return conv_in(v);                                                                                             \
    }                                                                                                                  \
    static inline void st_##name(void *p, type v)                                                                      \
    {                                                                                                                  \
        v = conv_out(v);                                                                                               \
        memcpy(p, &v, sizeof(v));                                                                                      \
    }

BYTES_LDST(le16, uint16_t, le16toh, htole16)
BYTES_LDST(le32, uint32_t, le32toh, htole32)
BYTES_LDST(le64, uint64_t, le64toh, htole64)
BYTES_LDST(be16, uint16_t, be16toh, htobe16)
BYTES_LDST(be32, uint32_t, be32toh, htobe32)
BYTES_LDST(be64, uint64_t, be64toh, htobe64)
#undef BYTES_LDST

/** ld_le_n() - @size (1, 2, 4, 8) bytes, little-endian */
static inline uint64_t ld_le_n(const void *p, unsigned size)
{
    uint64_t v = 0;

    memcpy(&v, p, size);
    return le64toh(v);
}

/** st_le_n() - the low @size (1, 2, 4, 8) bytes of @v, little-endian */
static inline void st_le_n(void *p, uint64_t v, unsigned size)
{
    v = htole64(v);
    memcpy(p, &v, size);
}

#endif
