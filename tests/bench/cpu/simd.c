/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/cpu/simd.c - packed integers, string instructions, and the instructions for ciphers, hashes and CRCs
 *
 * Only `needs` decides whether a function here may run: each is compiled for its instructions by a target attribute.
 */
#include "bench.h"

#include <immintrin.h>

static uint8_t bytes[16384] __attribute__((aligned(64)));

static void setup_bytes(uint64_t n)
{
    uint32_t s = 47;

    (void)n;
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(rnd32(&s) % 255 + 1);      /* no NUL: the string functions end at the last byte */
    }
    bytes[sizeof(bytes) - 1] = 0;
}

/* ---- sse2_int, avx2_int: a filter over 16 KiB ---- */

static uint64_t run_sse2_int(uint64_t n)
{
    __m128i acc = _mm_setzero_si128(), k = _mm_set1_epi16(0x0123), sad = acc;
    uint64_t out[2];

    while (n--) {
        for (unsigned i = 0; i < sizeof(bytes); i += 32) {
            __m128i a = _mm_load_si128((const __m128i *)(bytes + i));
            __m128i b = _mm_load_si128((const __m128i *)(bytes + i + 16));
            __m128i lo = _mm_unpacklo_epi8(a, b), hi = _mm_unpackhi_epi8(a, b);

            acc = _mm_add_epi32(acc, _mm_madd_epi16(lo, k));
            acc = _mm_xor_si128(acc, _mm_mullo_epi16(hi, k));
            acc = _mm_shuffle_epi32(_mm_add_epi16(acc, _mm_subs_epu8(a, b)), 0x39);
            acc = _mm_or_si128(_mm_slli_epi32(acc, 3), _mm_srli_epi32(acc, 29));
            sad = _mm_add_epi64(sad, _mm_sad_epu8(_mm_avg_epu8(a, b), _mm_cmpgt_epi8(a, acc)));
        }
    }
    _mm_storeu_si128((__m128i *)out, _mm_xor_si128(acc, sad));
    return mix(out[0], out[1]);
}

__attribute__((target("avx2"))) static uint64_t run_avx2_int(uint64_t n)
{
    __m256i acc = _mm256_setzero_si256(), k = _mm256_set1_epi16(0x0123), sad = acc;
    uint64_t out[4];

    while (n--) {
        for (unsigned i = 0; i < sizeof(bytes); i += 64) {
            __m256i a = _mm256_load_si256((const __m256i *)(bytes + i));
            __m256i b = _mm256_load_si256((const __m256i *)(bytes + i + 32));
            __m256i lo = _mm256_unpacklo_epi8(a, b), hi = _mm256_unpackhi_epi8(a, b);

            acc = _mm256_add_epi32(acc, _mm256_madd_epi16(lo, k));
            acc = _mm256_xor_si256(acc, _mm256_mullo_epi16(hi, k));
            acc = _mm256_shuffle_epi8(_mm256_add_epi16(acc, _mm256_subs_epu8(a, b)), _mm256_and_si256(a, k));
            __m256i count = _mm256_and_si256(b, _mm256_set1_epi32(31));

            acc = _mm256_add_epi32(_mm256_slli_epi32(acc, 3), _mm256_srlv_epi32(a, count));
            sad = _mm256_add_epi64(sad, _mm256_sad_epu8(_mm256_avg_epu8(a, b), _mm256_permute4x64_epi64(acc, 0x39)));
        }
    }
    _mm256_storeu_si256((__m256i *)out, _mm256_xor_si256(acc, sad));
    _mm256_zeroupper();
    return mix(mix(out[0], out[1]), mix(out[2], out[3]));
}

/* ---- strlen with PCMPEQB, a search for a set of bytes with PCMPISTRI ---- */

static NOINLINE size_t sse2_strlen(const uint8_t *p)
{
    const uint8_t *s = p;

    for (;; p += 16) {
        int m = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_load_si128((const __m128i *)p), _mm_setzero_si128()));

        if (m) {
            return (size_t)(p - s) + (unsigned)__builtin_ctz((unsigned)m);
        }
    }
}

static uint64_t run_strlen(uint64_t n)
{
    uint64_t sum = 0;

    while (n--) {
        sum += sse2_strlen(bytes + (n & 7) * 16);
    }
    return sum;
}

__attribute__((target("sse4.2"))) static uint64_t run_pcmpistri(uint64_t n)
{
    const __m128i set = _mm_setr_epi8('a', 'd', '0', '3', 'X', 'Z', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    uint64_t sum = 0;

    while (n--) {
        for (unsigned i = 0; i < sizeof(bytes); i += 16) {
            __m128i v = _mm_load_si128((const __m128i *)(bytes + i));
            int at = _mm_cmpistri(set, v, _SIDD_UBYTE_OPS | _SIDD_CMP_RANGES | _SIDD_LEAST_SIGNIFICANT);
            int c = _mm_cmpistrc(set, v, _SIDD_UBYTE_OPS | _SIDD_CMP_RANGES | _SIDD_LEAST_SIGNIFICANT);

            sum += (unsigned)at + (unsigned)c;
        }
    }
    return sum;
}

/* ---- crc32i: CRC-32C by the CRC32 instruction ---- */

__attribute__((target("sse4.2"))) static uint64_t run_crc32i(uint64_t n)
{
    unsigned long c = ~0u & 0xFFFFFFFF;

    while (n--) {
        for (unsigned i = 0; i < sizeof(bytes); i += sizeof(long)) {
#ifdef __x86_64__
            c = _mm_crc32_u64(c, *(const unsigned long *)(bytes + i));
#else
            c = _mm_crc32_u32(c, *(const unsigned long *)(bytes + i));
#endif
        }
    }
    return c;
}

/* ---- aesni: AES-128 in counter mode; the key schedule is not the standard's, its ten round keys are random ---- */

__attribute__((target("aes"))) static uint64_t run_aesni(uint64_t n)
{
    __m128i key[11], ctr = _mm_set_epi32(1, 2, 3, 4), acc = _mm_setzero_si128();
    uint64_t out[2];

    for (int i = 0; i < 11; i++) {
        key[i] = _mm_load_si128((const __m128i *)(bytes + 16 * i));
    }
    for (uint64_t i = 0; i < n * 256; i++) {
        __m128i a = _mm_xor_si128(ctr, key[0]);
        __m128i b = _mm_xor_si128(_mm_add_epi32(ctr, _mm_set_epi32(0, 0, 0, 1)), key[0]);

        for (int r = 1; r < 10; r++) {
            a = _mm_aesenc_si128(a, key[r]);
            b = _mm_aesenc_si128(b, key[r]);
        }
        acc = _mm_xor_si128(acc, _mm_aesenclast_si128(a, key[10]));
        acc = _mm_add_epi64(acc, _mm_aesenclast_si128(b, key[10]));
        ctr = _mm_add_epi32(ctr, _mm_set_epi32(0, 0, 0, 2));
    }
    _mm_storeu_si128((__m128i *)out, acc);
    return mix(out[0], out[1]);
}

/* ---- shani: the digest of sha256c (calc.c) by SHA256RNDS2 and the two message instructions; SDM vol. 2 ---- */

const uint32_t sha256_k[64] __attribute__((aligned(16))) = {                /* FIPS 180-4, 4.2.2 */
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

__attribute__((target("sha,sse4.1,ssse3"))) static uint64_t run_shani(uint64_t n)
{
    const __m128i swap = _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
    __m128i abef = _mm_set_epi32(0x6A09E667, (int)0xBB67AE85, 0x510E527F, (int)0x9B05688C);
    __m128i cdgh = _mm_set_epi32(0x3C6EF372, (int)0xA54FF53A, 0x1F83D9AB, 0x5BE0CD19);
    uint8_t data[64];
    uint32_t v[8], st[8];

    for (unsigned i = 0; i < 64; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    for (uint64_t i = 0; i < n * 256; i++) {
        __m128i w[4], s0 = abef, s1 = cdgh;

        for (int r = 0; r < 16; r++) {
            __m128i *cur = &w[r & 3];

            if (r < 4) {
                *cur = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data + 16 * r)), swap);
            } else {
                __m128i t = _mm_add_epi32(_mm_sha256msg1_epu32(*cur, w[(r + 1) & 3]),
                                          _mm_alignr_epi8(w[(r + 3) & 3], w[(r + 2) & 3], 4));

                *cur = _mm_sha256msg2_epu32(t, w[(r + 3) & 3]);
            }
            __m128i wk = _mm_add_epi32(*cur, _mm_load_si128((const __m128i *)&sha256_k[4 * r]));
            s1 = _mm_sha256rnds2_epu32(s1, s0, wk);
            s0 = _mm_sha256rnds2_epu32(s0, s1, _mm_shuffle_epi32(wk, 0x0E));
        }
        abef = _mm_add_epi32(abef, s0);
        cdgh = _mm_add_epi32(cdgh, s1);
        data[0]++;
    }
    _mm_storeu_si128((__m128i *)v, abef);               /* f e b a, h g d c from the low end */
    _mm_storeu_si128((__m128i *)(v + 4), cdgh);
    static const uint8_t order[8] = { 3, 2, 7, 6, 1, 0, 5, 4 };
    for (int i = 0; i < 8; i++) {
        st[i] = v[order[i]];
    }
    return mix_bytes(0, st, sizeof(st));
}

/* ---- clmul: folding 16 KiB as a CRC does ---- */

__attribute__((target("pclmul"))) static uint64_t run_clmul(uint64_t n)
{
    const __m128i k = _mm_set_epi32(0x0, 0x1751997d, 0x0, (int)0xccaa009e);
    __m128i a = _mm_setzero_si128(), b = a;
    uint64_t out[2];

    while (n--) {
        for (unsigned i = 0; i < sizeof(bytes); i += 32) {
            a = _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(a, k, 0x00), _mm_clmulepi64_si128(a, k, 0x11)),
                              _mm_load_si128((const __m128i *)(bytes + i)));
            b = _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(b, k, 0x10), _mm_clmulepi64_si128(b, k, 0x01)),
                              _mm_load_si128((const __m128i *)(bytes + i + 16)));
        }
    }
    _mm_storeu_si128((__m128i *)out, _mm_xor_si128(a, b));
    return mix(out[0], out[1]);
}

const struct bench simd_tests[] = {
    { "sse2_int",    16000,  run_sse2_int,  setup_bytes, 0 },
    { "avx2_int",    4000,  run_avx2_int,  setup_bytes, NEED_AVX2 },
    { "strlen_sse2", 30000, run_strlen,    setup_bytes, 0 },
    { "pcmpistri",   4000,  run_pcmpistri, setup_bytes, NEED_SSE42 },
    { "crc32i",      2500,  run_crc32i,    setup_bytes, NEED_SSE42 },
    { NULL, 0, NULL, NULL, 0 },
};

const struct bench crypto_tests[] = {
    { "aesni", 8000, run_aesni, setup_bytes, NEED_AES },
    { "shani", 1500, run_shani, NULL,        NEED_SHA },
    { "clmul", 12000, run_clmul, setup_bytes, NEED_CLMUL },
    { NULL, 0, NULL, NULL, 0 },
};
