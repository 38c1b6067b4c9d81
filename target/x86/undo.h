/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/undo.h - guest memory as it was before each store of a trial run
 *
 * While cpu->undo is set (jit/check.c) no write tags are given out, so every store comes by the slow paths of mmu.c,
 * which say here what they are about to overwrite. What cannot be taken back (a device access, a page table entry
 * that gets its accessed or dirty bit, more stores than there is room for) ends the trial before it has happened.
 */
#ifndef TARGET_X86_UNDO_H
#define TARGET_X86_UNDO_H

#include "target/x86/state.h"

#define UNDO_CHUNK 32
#define UNDO_MAX 8192

struct x86_undo_entry {
    uint8_t *host;
    uint8_t len;
    uint8_t old[UNDO_CHUNK];
};

struct x86_undo {
    sigjmp_buf out;             /* where a trial that cannot go on lands */
    unsigned n;
    struct x86_undo_entry e[UNDO_MAX];
};

/** x86_undo_cannot() - what comes next cannot be taken back: end the trial; nothing when there is none */
static inline void x86_undo_cannot(struct x86_cpu *cpu)
{
    if (__builtin_expect(cpu->undo != NULL, 0)) {
        siglongjmp(cpu->undo->out, 1);
    }
}

/** x86_undo_note() - @len bytes at @host are about to be written */
void x86_undo_note(struct x86_cpu *cpu, uint8_t *host, unsigned len);
static inline void x86_undo_store(struct x86_cpu *cpu, uint8_t *host, unsigned len)
{
    if (__builtin_expect(cpu->undo != NULL, 0)) {
        x86_undo_note(cpu, host, len);
    }
}

#endif
