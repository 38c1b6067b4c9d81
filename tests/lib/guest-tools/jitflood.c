/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jitflood - more code than any cache of translations holds; linked statically, runs on a stock kernel and on the host
 *
 *     jitflood jumps N    N rounds over pages that are nothing but jumps: 2048 blocks of one instruction each
 *     jitflood code N     N functions that never existed before, each run until it is hot; pages are written anew
 *
 * Prints a checksum that does not depend on where it runs.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, PAGES = 16, RUNS = 40, OPS = 48 };

static uint64_t mix(uint64_t h, uint64_t v)
{
    return (h ^ v) * 0x100000001B3ULL;
}

static uint64_t next(uint64_t *s)
{
    *s = *s * 6364136223846793005ULL + 1442695040888963407ULL;
    return *s >> 33;
}

static uint8_t *code_pages(void)
{
    uint8_t *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return p;
}

/* JMP SHORT +0, EB 00, from end to end; an INC EAX somewhere, and a RET at the end. Each round writes other pages */
static uint64_t jumps(uint64_t rounds)
{
    uint8_t *p = code_pages();
    uint64_t h = 0;

    for (uint64_t n = 0; n < rounds; n++) {
        uint8_t *page = p + n % PAGES * PAGE;

        for (unsigned i = 0; i < PAGE; i += 2) {
            page[i] = 0xEB;
            page[i + 1] = 0;
        }
        memcpy(page + 64 * (n % 32), "\xFF\xC0", 2);
        page[PAGE - 2] = 0xC3;
        for (unsigned i = 0; i < RUNS; i++) {
            uint32_t v = (uint32_t)(n + i);

            __asm__ volatile("sub $128, %%rsp; call *%1; add $128, %%rsp" : "+a"(v) : "r"(page) : "memory", "cc");
            h = mix(h, v);
        }
    }
    return h;
}

/* One function of additions, exclusive-ors, rotations and branches that are never taken, of random constants */
static unsigned function(uint8_t *p, uint64_t *seed)
{
    static const uint8_t alu[] = { 0x05, 0x35, 0x2D };      /* ADD, XOR, SUB EAX, imm32 */
    uint8_t *q = p;

    for (unsigned i = 0; i < OPS; i++) {
        uint32_t v = (uint32_t)next(seed);

        if (v % 7 == 0) {
            memcpy(q, "\x85\xE4\x74\x00", 4);               /* TEST ESP, ESP; JZ +0 */
            q += 4;
        } else if (v % 5 == 0) {
            memcpy(q, "\xC1\xC0", 2);                       /* ROL EAX, imm8 */
            q[2] = 1 + v % 31;
            q += 3;
        } else {
            *q = alu[v % 3];
            memcpy(q + 1, &v, 4);
            q += 5;
        }
    }
    *q++ = 0xC3;
    return (unsigned)(q - p);
}

static uint64_t code(uint64_t n)
{
    uint8_t *p = code_pages();
    uint64_t h = 0, seed = 1;
    unsigned at = 0;

    for (uint64_t i = 0; i < n; i++) {
        uint8_t *f = p + at;

        at += function(f, &seed);
        if (at > PAGES * PAGE - OPS * 5 - 1) {
            at = 0;
        }
        for (unsigned k = 0; k < RUNS; k++) {
            uint32_t v = (uint32_t)(i * k);

            __asm__ volatile("sub $128, %%rsp; call *%1; add $128, %%rsp" : "+a"(v) : "r"(f) : "memory", "cc");
            h = mix(h, v);
        }
    }
    return h;
}

int main(int argc, char **argv)
{
    uint64_t n = argc == 3 ? strtoull(argv[2], NULL, 0) : 0;

    if (!n) {
        fprintf(stderr, "usage: jitflood jumps|code N\n");
        return 2;
    }
    printf("FLOOD %s %016llx\n", argv[1], (unsigned long long)(strcmp(argv[1], "jumps") ? code(n) : jumps(n)));
    return 0;
}
