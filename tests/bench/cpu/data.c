/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/cpu/data.c - integer programs whose time goes into data: sorting, tables, hashes, matches, strings
 */
#include "bench.h"

#include <sys/mman.h>

/* ---- qsort: quicksort with insertion sort below 12 elements; mispredicted branches ---- */

#define SORT_N 16384

static uint32_t sort_buf[SORT_N];

static NOINLINE void sort(uint32_t *a, long lo, long hi)
{
    while (hi - lo > 12) {
        uint32_t p = a[lo + (hi - lo) / 2];
        long i = lo, j = hi;

        while (i <= j) {
            while (a[i] < p) {
                i++;
            }
            while (a[j] > p) {
                j--;
            }
            if (i <= j) {
                uint32_t t = a[i];

                a[i++] = a[j];
                a[j--] = t;
            }
        }
        sort(a, lo, j);
        lo = i;
    }
    for (long i = lo + 1; i <= hi; i++) {
        uint32_t v = a[i];
        long j = i;

        for (; j > lo && a[j - 1] > v; j--) {
            a[j] = a[j - 1];
        }
        a[j] = v;
    }
}

static uint64_t run_qsort(uint64_t n)
{
    uint32_t s = 1;
    uint64_t h = 0;

    while (n--) {
        for (unsigned i = 0; i < SORT_N; i++) {
            sort_buf[i] = rnd32(&s);
        }
        sort(sort_buf, 0, SORT_N - 1);
        h = mix(h, sort_buf[s % SORT_N]);
    }
    return mix_bytes(h, sort_buf, sizeof(sort_buf));
}

/* ---- sieve: stores with a stride ---- */

#define SIEVE_N 131072

static uint8_t sieve_buf[SIEVE_N];

static uint64_t run_sieve(uint64_t n)
{
    uint64_t count = 0;

    while (n--) {
        for (unsigned i = 0; i < SIEVE_N; i++) {
            sieve_buf[i] = 1;
        }
        for (unsigned i = 2; i * i < SIEVE_N; i++) {
            for (unsigned j = i * i; sieve_buf[i] && j < SIEVE_N; j += i) {
                sieve_buf[j] = 0;
            }
        }
        for (unsigned i = 2; i < SIEVE_N; i++) {
            count += sieve_buf[i];
        }
    }
    return count;
}

/* ---- crc32tab: a chain of table loads (polynomial of ISO 3309, reflected) ---- */

static uint32_t crc_table[256];
static uint8_t crc_data[65536];

static void setup_crc(uint64_t n)
{
    uint32_t s = 7;

    (void)n;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;

        for (int k = 0; k < 8; k++) {
            c = c & 1 ? c >> 1 ^ 0xEDB88320 : c >> 1;
        }
        crc_table[i] = c;
    }
    for (unsigned i = 0; i < sizeof(crc_data); i++) {
        crc_data[i] = (uint8_t)rnd32(&s);
    }
}

static uint64_t run_crc(uint64_t n)
{
    uint32_t c = ~0u;

    while (n--) {
        for (unsigned i = 0; i < sizeof(crc_data); i++) {
            c = c >> 8 ^ crc_table[(c ^ crc_data[i]) & 0xFF];
        }
    }
    return ~c;
}

/* ---- lz: matches by a hash of four bytes; (literals << 4 | match length - 4), the literals, 16 bits of offset ---- */

#define LZ_N 65536

static uint8_t lz_in[LZ_N], lz_packed[2 * LZ_N], lz_out[LZ_N];
static uint32_t lz_heads[4096];

static void setup_lz(uint64_t n)
{
    static const char *const words[] = { "packet", "frame", "the ", "of ", "ring", "guest", "host ", "cable" };
    uint32_t s = 3;
    unsigned at = 0;

    (void)n;
    while (at < LZ_N) {
        uint32_t r = rnd32(&s);
        const char *w = words[r & 7];

        for (; *w && at < LZ_N; w++) {
            lz_in[at++] = (uint8_t)*w;
        }
        if ((r & 0x300) == 0 && at < LZ_N) {
            lz_in[at++] = (uint8_t)(r >> 16);
        }
    }
}

static uint32_t load32(const uint8_t *p)
{
    uint32_t v;

    __builtin_memcpy(&v, p, 4);
    return v;
}

static NOINLINE size_t lz_pack(const uint8_t *in, size_t n, uint8_t *out)
{
    size_t at = 0, literals = 0, o = 0;

    for (unsigned i = 0; i < 4096; i++) {
        lz_heads[i] = 0;
    }
    while (at + 4 <= n) {
        uint32_t hash = load32(in + at) * 2654435761u >> 20;
        size_t prev = lz_heads[hash], len = 0;

        lz_heads[hash] = (uint32_t)at + 1;
        if (prev && at - (prev - 1) < 65536 && load32(in + prev - 1) == load32(in + at)) {
            for (len = 4; len < 4 + 15 && at + len < n && in[prev - 1 + len] == in[at + len]; len++) { }
        }
        if (!len && literals < 15) {
            literals++;
            at++;
            continue;
        }
        out[o++] = (uint8_t)(literals << 4 | (len ? len - 4 : 0));
        for (size_t i = 0; i < literals; i++) {
            out[o++] = in[at - literals + i];
        }
        size_t back = len ? at - (prev - 1) : 0;
        out[o++] = (uint8_t)back;
        out[o++] = (uint8_t)(back >> 8);
        at += len;
        literals = 0;
    }
    return o;
}

static NOINLINE size_t lz_unpack(const uint8_t *in, size_t n, uint8_t *out)
{
    size_t o = 0, at = 0;

    while (at < n) {
        unsigned literals = in[at] >> 4, len = (in[at] & 15) + 4;

        for (at++; literals; literals--) {
            out[o++] = in[at++];
        }
        size_t back = in[at] | (size_t)in[at + 1] << 8;
        at += 2;
        for (; back && len; len--, o++) {
            out[o] = out[o - back];
        }
    }
    return o;
}

static uint64_t run_lz(uint64_t n)
{
    uint64_t h = 0;

    while (n--) {
        size_t packed = lz_pack(lz_in, LZ_N, lz_packed), got = lz_unpack(lz_packed, packed, lz_out);

        h = mix(mix(h, packed), got);
        for (size_t i = 0; i < got; i++) {
            h += lz_out[i] != lz_in[i];
        }
    }
    return mix_bytes(h, lz_out, LZ_N);
}

/* ---- imatmul: 48 x 48 matrices ---- */

#define MAT 48

static uint32_t mat_a[MAT][MAT], mat_b[MAT][MAT], mat_c[MAT][MAT];

static void setup_mat(uint64_t n)
{
    uint32_t s = 5;

    (void)n;
    for (int i = 0; i < MAT * MAT; i++) {
        (&mat_a[0][0])[i] = rnd32(&s);
        (&mat_b[0][0])[i] = rnd32(&s);
    }
}

static uint64_t run_imatmul(uint64_t n)
{
    while (n--) {
        for (int i = 0; i < MAT; i++) {
            for (int j = 0; j < MAT; j++) {
                uint32_t sum = 0;

                for (int k = 0; k < MAT; k++) {
                    sum += mat_a[i][k] * mat_b[k][j];
                }
                mat_c[i][j] = sum;
            }
        }
        mat_a[n % MAT][3] += mat_c[5][7];
    }
    return mix_bytes(0, mat_c, sizeof(mat_c));
}

/* ---- bighash: random updates in 64 MiB, far beyond every TLB ---- */

#define HASH_N (64u << 20 >> 2)

static uint32_t *hash_table;

static void setup_bighash(uint64_t n)
{
    (void)n;
    if (hash_table) {
        munmap(hash_table, HASH_N * 4);
    }
    hash_table = mmap(NULL, HASH_N * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (hash_table == MAP_FAILED) {
        bench_fail("mmap");
    }
    madvise(hash_table, HASH_N * 4, MADV_NOHUGEPAGE);
    for (unsigned i = 0; i < HASH_N; i += 1024) {
        hash_table[i] = i;
    }
}

static uint64_t run_bighash(uint64_t n)
{
    uint32_t s = 9, h = 0;

    for (uint64_t i = 0; i < n * 1024; i++) {
        uint32_t *p = &hash_table[rnd32(&s) % HASH_N];

        h ^= *p += (uint32_t)i | 1;
    }
    return h;
}

/* ---- chase: a random cycle of pointers, 256 KiB ---- */

struct node {
    struct node *next;
    uint32_t value;
    char pad[64 - sizeof(void *) - 4];
};

#define NODES 4096

static struct node nodes[NODES];

static void setup_chase(uint64_t n)
{
    static uint16_t order[NODES];
    uint32_t s = 11;

    (void)n;
    for (unsigned i = 0; i < NODES; i++) {
        order[i] = (uint16_t)i;
        nodes[i].value = rnd32(&s);
    }
    for (unsigned i = NODES - 1; i; i--) {
        unsigned j = rnd32(&s) % i;
        uint16_t t = order[i];

        order[i] = order[j];
        order[j] = t;
    }
    for (unsigned i = 0; i < NODES; i++) {
        nodes[order[i]].next = &nodes[order[(i + 1) % NODES]];
    }
}

static uint64_t run_chase(uint64_t n)
{
    const struct node *p = nodes;
    uint32_t sum = 0;

    for (uint64_t i = n * NODES; i; i--) {
        sum += p->value;
        p = p->next;
    }
    return sum;
}

/* ---- str: strlen, strcmp and strchr as C loops over bytes ---- */

#define STRINGS 256

static char strings[STRINGS][80];

static void setup_str(uint64_t n)
{
    uint32_t s = 13;

    (void)n;
    for (unsigned i = 0; i < STRINGS; i++) {
        unsigned len = 16 + rnd32(&s) % 60;

        for (unsigned k = 0; k < len; k++) {
            strings[i][k] = (char)(k < 12 ? 'a' + k : 'a' + rnd32(&s) % 26);
        }
        strings[i][len] = 0;
    }
}

static NOINLINE size_t my_strlen(const char *p)
{
    const char *s = p;

    while (*p) {
        p++;
    }
    return (size_t)(p - s);
}

static NOINLINE int my_strcmp(const char *a, const char *b)
{
    for (; *a && *a == *b; a++, b++) { }
    return (int)(unsigned char)*a - (int)(unsigned char)*b;
}

static NOINLINE const char *my_strchr(const char *p, int c)
{
    for (; *p; p++) {
        if (*p == c) {
            return p;
        }
    }
    return NULL;
}

static uint64_t run_str(uint64_t n)
{
    uint64_t h = 0;

    while (n--) {
        for (unsigned i = 0; i < STRINGS; i++) {
            const char *a = strings[i], *b = strings[(i * 7 + (unsigned)n) % STRINGS], *z = my_strchr(a, 'z');

            h += my_strlen(a) + (unsigned)(my_strcmp(a, b) > 0) + (z ? (unsigned)(z - a) : 99);
        }
    }
    return h;
}

const struct bench data_tests[] = {
    { "qsort",    200,   run_qsort,   NULL,          0 },
    { "sieve",    300,   run_sieve,   NULL,          0 },
    { "crc32tab", 800,   run_crc,     setup_crc,     0 },
    { "lz",       250,   run_lz,      setup_lz,      0 },
    { "imatmul",  800,   run_imatmul, setup_mat,     0 },
    { "bighash",  3000,  run_bighash, setup_bighash, 0 },
    { "chase",    6000,  run_chase,   setup_chase,   0 },
    { "str",      6000,  run_str,     setup_str,     0 },
    { NULL, 0, NULL, NULL, 0 },
};
