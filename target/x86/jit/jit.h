/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/jit.h - the translator as the block cache and the run loop see it
 *
 * A block of the interpreter counts its runs in its first record's handler (x86_jit_count). When it has run often
 * enough, a copy of it that outlives the arena is made, translated, and put into the cache in its place; the copy's
 * first handler (x86_jit_enter) goes into the host code. So every way to a block is a way to its translation, and
 * nothing else has to know.
 */
#ifndef TARGET_X86_JIT_JIT_H
#define TARGET_X86_JIT_JIT_H

#include "target/x86/engine.h"
#include "target/x86/state.h"

struct x86_jit;

#if defined(__x86_64__) && !defined(X86_PORTABLE)
struct x86_jit *x86_jit_new(struct x86_cpu *cpu, const struct x86_engine_opts *o, Error **errp);
void x86_jit_free(struct x86_jit *j);
/** x86_jit_attach() - a block fresh from the decoder starts to count */
void x86_jit_attach(struct x86_cpu *cpu, struct x86_block *b);
/** x86_jit_killed() - hot block @b has died: whoever jumps into its code leaves to the dispatcher */
void x86_jit_killed(struct x86_cpu *cpu, struct x86_block *b);
/** x86_jit_flushed() - every block has gone: drop all code */
void x86_jit_flushed(struct x86_cpu *cpu);
/** x86_jit_idle() - the CPU halts: translate what has run now and then, until there is work */
void x86_jit_idle(struct x86_cpu *cpu);
/** x86_jit_forget() - blocks that are not translated are about to go */
void x86_jit_forget(struct x86_cpu *cpu);
void x86_jit_print_stats(struct x86_cpu *cpu, GString *out);
/** x86_jit_moved() - first handler of a block whose translated copy has taken its place */
x86_handler x86_jit_moved;
/** x86_jit_shadowed() - go on with block @r, with cpu->shadow set. Return: NULL: the run loop has to */
const struct x86_rec *x86_jit_shadowed(struct x86_cpu *cpu, const struct x86_rec *r);
/** x86_jit_make_hot() - a translated copy of @b; NULL: no room, or it cannot be translated */
struct x86_block *x86_jit_make_hot(struct x86_cpu *cpu, const struct x86_block *b);
#else
static inline void x86_jit_attach(struct x86_cpu *cpu, struct x86_block *b) { }
static inline void x86_jit_killed(struct x86_cpu *cpu, struct x86_block *b) { }
static inline void x86_jit_flushed(struct x86_cpu *cpu) { }
static inline void x86_jit_idle(struct x86_cpu *cpu) { }
static inline void x86_jit_forget(struct x86_cpu *cpu) { }
static inline void x86_jit_free(struct x86_jit *j) { }
static inline const struct x86_rec *x86_jit_shadowed(struct x86_cpu *cpu, const struct x86_rec *r) { return NULL; }
static inline void x86_jit_print_stats(struct x86_cpu *cpu, GString *out) { }
#endif

/** x86_cpu_alloc() - zeroed memory for a CPU, below 2 GiB where that is possible (translated code addresses it absolutely) */
void *x86_cpu_alloc(size_t size);
void x86_cpu_dealloc(void *p, size_t size);

/*
 * cc_op with CCD_DESC: the flags follow from registers that still hold what the last producer left (jit/recipe.c).
 * The interpreter never sees one: x86_cc_normalise() makes an ordinary lazy state of it, while the registers are
 * those of that moment.
 */
enum { CCD_DESC = 1 << 30 };
void x86_cc_normalise(struct x86_cpu *cpu);

#endif
