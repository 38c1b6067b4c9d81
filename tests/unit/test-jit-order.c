/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-jit-order.c - the guest's barriers hold against other threads, though the machine has one CPU
 *
 * What a virtio driver and its device do (VIRTIO 1.2, 2.7.7.1): each says what it wants, then looks what the other one
 * has done. In every round the guest stores to A and reads B, and this thread stores to B and reads A. That neither sees the
 * other's store must not happen: with it, both would wait. This thread is the device, so it makes the barrier for both (core/fence.h);
 * with keep_lock it may be anybody's, who makes his own only.
 */
#include "core/fence.h"
#include "engine-rig.h"

enum { GO = 0x34000, A = 0x34040, B = 0x34080, SEEN = 0x340C0, DONE = 0x34100, ROUNDS = 60000 };

#define ROUND(say)                                                                                                     \
    "1: incl %ecx\n2: cmpl 0x34000, %ecx\n  jne 2b\n  movl %ecx, %eax\n" say "  movl 0x34080, %edx\n"                 \
    "  movl %edx, 0x340C0\n  movl %ecx, 0x34100\n  cmpl %esi, %ecx\n  jne 1b\n  hlt\n"
PROGRAM(by_xchg, ROUND("  xchgl %eax, 0x34040\n"));
PROGRAM(by_lock, ROUND("  movl %eax, 0x34040\n  lock addl $0, -64(%rsp)\n"));
PROGRAM(by_mfence, ROUND("  movl %eax, 0x34040\n  mfence\n"));
PROGRAM(by_lock_add, ROUND("  lock addl $1, 0x34040\n"));

static void *guest(void *opaque)
{
    return GINT_TO_POINTER(er_run(opaque, ER_AT));
}

static uint32_t *word(struct rig *g, unsigned at)
{
    return (uint32_t *)(void *)(g->ram->host + at);
}

static unsigned both_blind(struct rig *g, bool stranger)
{
    unsigned n = 0;

    for (uint32_t round = 1; round <= ROUNDS; round++) {
        uint32_t a;

        __atomic_store_n(word(g, GO), round, __ATOMIC_SEQ_CST);
        __atomic_store_n(word(g, B), round, __ATOMIC_SEQ_CST);
        if (stranger) {
            __atomic_thread_fence(__ATOMIC_SEQ_CST);
        } else {
            fence_all();
        }
        a = __atomic_load_n(word(g, A), __ATOMIC_SEQ_CST);
        while (__atomic_load_n(word(g, DONE), __ATOMIC_ACQUIRE) != round) {
            g_thread_yield();
        }
        n += a != round && *word(g, SEEN) != round;
    }
    return n;
}

static void in_order(struct rig *g, const uint8_t *code, size_t n)
{
    bool stranger = !g->cpu->opts.jit || g->cpu->opts.keep_lock;
    GThread *vcpu;

    er_long(g);
    er_load(g, ER_AT, code, n);
    for (unsigned at = GO; at <= DONE; at += 0x40) {
        *word(g, at) = 0;
    }
    g->cpu->regs[R_CX] = 0;
    g->cpu->regs[R_SI] = ROUNDS;
    vcpu = g_thread_new("vcpu", guest, g);
    g_assert_cmpuint(both_blind(g, stranger), ==, 0);
    g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(vcpu)), ==, ER_OK);
}

#define ORDER(name)                                                                                                    \
    static void test_##name(struct rig *g)                                                                             \
    {                                                                                                                  \
        in_order(g, name##_start, (size_t)(name##_end - name##_start));                                                \
    }
ORDER(by_xchg)
ORDER(by_lock)
ORDER(by_lock_add)
ORDER(by_mfence)

/* The same with LOCK kept */
static void kept(const uint8_t *code, size_t n)
{
    const struct x86_engine_opts o = { .jit = true, .hot = 1, .tb_size = 4, .keep_lock = true };
    Error *err = NULL;
    struct rig g;

    rig_new(&g, "qemu64");
    g_assert_true(x86_cpu_set_engine(g.cpu, &o, &err));
    in_order(&g, code, n);
    rig_free(&g);
}

static void test_kept(struct rig *g)
{
    if (g->cpu->opts.jit) {
        kept(by_xchg_start, (size_t)(by_xchg_end - by_xchg_start));
        kept(by_lock_start, (size_t)(by_lock_end - by_lock_start));
        kept(by_lock_add_start, (size_t)(by_lock_add_end - by_lock_add_start));
    }
}

int main(int argc, char **argv)
{
    static const struct er_test tests[] = {
        { "by_xchg", NULL, test_by_xchg }, { "by_lock", NULL, test_by_lock }, { "by_lock_add", NULL, test_by_lock_add },
        { "by_mfence", NULL, test_by_mfence },
        { "kept", NULL, test_kept },
    };

    return er_main(argc, argv, "order", "qemu64", true, tests, ARRAY_LEN(tests));
}
