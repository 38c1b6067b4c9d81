/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/oracle.h - one instruction on silicon and on our interpreter: what both are given and what they give back
 *
 * The host is an x86 too, so it knows every answer. A case is code bytes, a register state and which memory image;
 * gen.c makes it from a row of the instruction table, native.c runs it in a child process, guest.c in the emulator,
 * test-oracle.c compares.
 *
 * Both see the same linear addresses, all below 4 GiB, so that 32-bit code reaches them:
 *
 *     CODE       two pages of INT3, writable; the case's bytes stand in the middle of the first
 *     ARENA      two pages read and write, one read only, with nothing mapped before and behind; no execute right
 *
 * A run ends with an exception, always: the INT3 behind the instruction, or its own fault.
 */
#ifndef TESTS_X86_ORACLE_H
#define TESTS_X86_ORACLE_H

#include "target/x86/optable.h"
#include "target/x86/rec.h"
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define OX_CODE     0x10000000ULL
#define OX_CODE_BYTES 0x2000u
#define OX_ENTRY    (OX_CODE + 0x800)
#define OX_ARENA    0x20000000ULL
#define OX_RW       0x2000u             /* bytes that may be written */
#define OX_IMAGE    0x3000u             /* bytes of the arena */
#define OX_TARGETS  0x1E00u             /* offset in the image: 32 slots of 8 bytes with addresses in CODE */

#define OX_CODE_MAX 96
/*
 * Two flat modes, and two with segments from an LDT, all with base OX_ARENA (CS: OX_CODE): DS limit 0x2FFF, ES
 * expand-down from 0x1000, GS read-only, SS 16 bits wide in OX_16. Offsets then are linear addresses minus the base.
 */
enum ox_mode { OX_64, OX_32, OX_SEG32, OX_16, OX_MODES };
enum ox_ldt { OX_LDT_CODE16, OX_LDT_CODE32, OX_LDT_DS, OX_LDT_SS16, OX_LDT_ES, OX_LDT_GS };
#define OX_LDT_SEL(n) ((uint16_t)((n) << 3 | 7))

enum { OX_SEL_CODE32 = 0x23, OX_SEL_DATA = 0x2B, OX_SEL_CODE64 = 0x33 };    /* as Linux has them */

struct ox_state {
    uint64_t gpr[16], rip;
    uint32_t eflags, mxcsr;
    uint16_t fcw, fsw;                  /* fsw with TOP */
    uint8_t ftw;                        /* abridged: bit i set = physical register i is in use */
    uint8_t st[8][16];                  /* ST(i): 10 bytes */
    uint8_t vec[16][32];
    uint16_t sel[4];                    /* ES, CS, SS, DS: out only */
};

/* A whole program in place of a case's few bytes: what both CODE pages hold. Many cases share one */
struct ox_prog {
    uint8_t code[OX_CODE_BYTES];
};

struct ox_case {
    struct ox_state in;
    const struct ox_prog *prog;         /* NULL: code[] at OX_ENTRY */
    struct x86_rec rec;                 /* as our decoder sees it */
    uint8_t code[OX_CODE_MAX];
    uint8_t len;                        /* bytes in code */
    enum ox_mode mode;
    bool mode32;                        /* not 64-bit mode */
    uint32_t patch_at;                  /* offset in the image where patch[] goes */
    uint8_t patch_len;
    uint8_t patch[80];
    const struct x86_row *row;          /* NULL: several instructions (gen_block.c, seq_gen.c) */
};

struct ox_result {
    int vec;                            /* exception; -1: the child died or hung */
    uint32_t err;
    uint64_t addr;                      /* page faults */
    struct ox_state out;
    uint8_t mem[OX_RW];
    uint64_t code_sum;                  /* ox_sum() of the code pages, with a prog */
};

/* gen.c */
struct ox_rng {
    uint64_t s;
};
uint64_t ox_rand(struct ox_rng *g);
/** ox_make_image() - memory contents full of interesting values */
void ox_make_image(struct ox_rng *g, uint8_t image[OX_IMAGE]);
/** ox_make_case() - Return: false when this try gave nothing usable (another try may) */
bool ox_make_case(struct ox_rng *g, enum x86_map_id map, const struct x86_row *row, enum ox_mode mode,
                  const struct x86_features *feat, const uint8_t *image, struct ox_case *c);
/**
 * ox_make_block() - several instructions in a row, with branches over some: flags that are dead, live, or read by a
 * fused pair
 */
void ox_make_block(struct ox_rng *g, bool mode32, const struct x86_features *feat, struct ox_case *c);
/** ox_make_far() - segment loads, far transfers, IRET, POPF; ox_is_far() - is @op one of them */
bool ox_make_far(struct ox_rng *g, enum x86_map_id map, const struct x86_row *row, bool mode32,
                 const struct x86_features *feat, struct ox_case *c);
bool ox_is_far(uint16_t op);
/** ox_group() - name of the group that the row is tested in; NULL: not testable natively, with the reason in *why */
const char *ox_group(enum x86_map_id map, const struct x86_row *row, const char **why);
/** ox_undefined_flags() - arithmetic flags that the manual leaves undefined for this case */
uint32_t ox_undefined_flags(const struct ox_case *c);
/** ox_undefined_result() - the destination itself is undefined: compare only the exception */
bool ox_undefined_result(const struct ox_case *c);

/* native.c */
/** ox_native_features() - what the host offers, for choosing rows */
void ox_native_features(struct x86_features *f);
/** ox_native_run() - run @n cases in a child; Return: false when no child could be made */
bool ox_native_run(const struct ox_case *cases, unsigned n, const uint8_t *image, struct ox_result *out);

/** ox_sum() - of @n bytes, a multiple of 8 */
uint64_t ox_sum(const void *p, unsigned n);

/* compare.c */
/**
 * ox_compare() - what differs, a line each; empty when nothing does
 * @c:    the case; rec and row are those of the instruction that ended it (row NULL: not known)
 * @open: flags that are not compared
 * @who:  what @want and @got are called
 */
GString *ox_compare(const struct ox_case *c, uint32_t open, const uint8_t *image, const char *const who[2],
                    const struct ox_result *want, const struct ox_result *got);

/* guest.c */
struct ox_guest;
struct x86_engine_opts;
/** ox_guest_new() - @extra: features to offer beside the model's, or NULL; @opts: NULL for the interpreter */
struct ox_guest *ox_guest_new(const char *model, const struct x86_features *extra,
                              const struct x86_engine_opts *opts);
void ox_guest_free(struct ox_guest *g);
/** ox_guest_kick() - end a run that does not end; may be called from a signal handler */
void ox_guest_kick(struct ox_guest *g);
const struct x86_features *ox_guest_features(struct ox_guest *g);
/** ox_guest_cpu() - for its statistics */
struct x86_cpu *ox_guest_cpu(struct ox_guest *g);
void ox_guest_run(struct ox_guest *g, const struct ox_case *c, const uint8_t *image, struct ox_result *out);

/** ox_mode_bits() - MODE_* for the decoder */
uint32_t ox_mode_bits(enum ox_mode mode);
#define OX_FLAT (MODE_FLAT_DS | MODE_FLAT_ES | MODE_FLAT_SS | MODE_FLAT_CS)
#define OX_MODE16 (MODE_LMA | MODE_PE | MODE_USER | MODE_OSFXSR | MODE_OSXSAVE | MODE_AVX)
#define OX_MODE32 (OX_MODE16 | OX_FLAT | MODE_CS32 | MODE_SS32)
#define OX_MODE64 (OX_MODE16 | OX_FLAT | MODE_64)

#endif
