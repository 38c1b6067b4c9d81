/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/trace_log.c - see trace_log.h: the text of each item
 *
 * One call of log_line() an item, so that lines of several CPUs do not mix. Addresses are linear; -dfilter applies to
 * what belongs to a block (in_asm, op, out_asm, exec, cpu), by the address of its first byte.
 */
#include "target/x86/trace_log.h"
#include "target/x86/ops.h"
#include "target/x86/optable.h"
#include "lib/bits.h"
#include "lib/log.h"
#include <inttypes.h>
#include <stdio.h>

/* --- which ---------------------------------------------------------------------------------------------------------- */

uint32_t x86_log_bits(uint32_t mask)
{
    static const struct { uint32_t cat, bit; } map[] = {
        { LOG_IN_ASM, X86_LOG_IN_ASM }, { LOG_OP, X86_LOG_OP }, { LOG_OUT_ASM, X86_LOG_OUT_ASM },
        { LOG_EXEC, X86_LOG_EXEC }, { LOG_INT, X86_LOG_INT }, { LOG_CPU, X86_LOG_CPU },
        { LOG_CPU_RESET, X86_LOG_CPU_RESET }, { LOG_PCALL, X86_LOG_PCALL }, { LOG_MMU, X86_LOG_MMU },
        { LOG_NOCHAIN, X86_LOG_NOCHAIN },
    };
    uint32_t bits = 0;

    for (unsigned i = 0; i < ARRAY_LEN(map); i++) {
        bits |= mask & map[i].cat ? map[i].bit : 0;
    }
    return bits;
}

void x86_cpu_set_log(struct x86_cpu *cpu, uint32_t bits)
{
    uint32_t old = cpu->log_mask, new = bits | (cpu->opts.no_chain ? X86_LOG_NOCHAIN : 0);

    __atomic_store_n(&cpu->log_mask, new, __ATOMIC_SEQ_CST);
    if ((old ^ new) & (X86_LOG_IN_ASM | X86_LOG_OP | X86_LOG_OUT_ASM | X86_LOG_EXEC | X86_LOG_CPU | X86_LOG_NOCHAIN)) {
        __atomic_fetch_or(&cpu->pending, PEND_LOG, __ATOMIC_SEQ_CST);
        __atomic_store_n(&cpu->exit_request, 1, __ATOMIC_SEQ_CST);
    }
}

/* --- code ----------------------------------------------------------------------------------------------------------- */

static void put_asm(GString *s, uint64_t la, const struct x86_rec *r, const uint8_t *bytes)
{
    char text[128];

    x86_rec_print(r, la + r->off, text, sizeof(text));
    g_string_append_printf(s, "0x%08" PRIx64 ":  ", la + r->off);
    for (unsigned i = 0; bytes && i < r->len; i++) {
        g_string_append_printf(s, "%02x ", bytes[r->off + i]);
    }
    for (unsigned i = bytes ? r->len : 0; i < 8; i++) {
        g_string_append(s, "   ");
    }
    g_string_append_printf(s, " %s\n", text);
}

/* All that the interpreter and the translator know about an instruction */
static void put_op(GString *s, const struct x86_rec *r)
{
    static const struct { uint16_t bit; const char *name; } flags[] = {
        { REC_LOCK, "lock" }, { REC_REP, "rep" }, { REC_REPNE, "repne" }, { REC_FLAT64, "flat64" },
        { REC_FLAT32, "flat32" }, { REC_VEX, "vex" }, { REC_VEX_L, "l" }, { REC_NF, "nf" }, { REC_OSIZE, "osize" },
        { REC_LAST, "last" }, { REC_X2, "x2" }, { REC_REXW, "rexw" }, { REC_MODRM, "modrm" },
    };

    g_string_append_printf(s, " %3u: %-12s len=%u size=%u form=%u reg=%u ", r->off,
                           r->op < OP_COUNT ? x86_op_info[r->op].name : "?", r->len, 1u << r->size, r->form, r->reg);
    if (r->flags & REC_MEM) {
        static const char seg[][3] = { "es", "cs", "ss", "ds", "fs", "gs" };

        g_string_append_printf(s, "mem=%s:[%u+%u*%u%+d]/%u ", r->seg < 6 ? seg[r->seg] : "?", r->base, r->index,
                               1u << r->scale, r->disp, 8u << r->asize);
    } else {
        g_string_append_printf(s, "rm=%u ", r->rm);
    }
    g_string_append_printf(s, "imm=0x%" PRIx64, r->imm);
    for (unsigned i = 0; i < ARRAY_LEN(flags); i++) {
        if (r->flags & flags[i].bit) {
            g_string_append_printf(s, " %s", flags[i].name);
        }
    }
    g_string_append_c(s, '\n');
}

void x86_log_block(struct x86_cpu *cpu, uint64_t la, const struct x86_rec *recs, unsigned n, const uint8_t *bytes)
{
    g_autoptr(GString) s = NULL;

    if (!log_filter(la)) {
        return;
    }
    s = g_string_new(NULL);
    if (x86_logs(cpu, X86_LOG_IN_ASM)) {
        g_string_append(s, "----------------\nIN:\n");
        for (unsigned i = 0; i < n; i++) {
            put_asm(s, la, &recs[i], bytes);
        }
        log_line(LOG_IN_ASM, "%s", s->str);
        g_string_truncate(s, 0);
    }
    if (x86_logs(cpu, X86_LOG_OP)) {
        g_string_append_printf(s, "OP: 0x%08" PRIx64 " mode %08x\n", la, cpu->mode);
        for (unsigned i = 0; i < n; i++) {
            put_op(s, &recs[i]);
        }
        log_line(LOG_OP, "%s", s->str);
    }
}

void x86_log_out_asm(struct x86_cpu *cpu, const void *host, size_t len, uint64_t guest_ip)
{
    const uint8_t *p = host;
    g_autoptr(GString) s = NULL;

    if (!log_filter(guest_ip)) {
        return;
    }
    s = g_string_new(NULL);
    g_string_append_printf(s, "OUT: 0x%08" PRIx64 " [size=%zu]\n", guest_ip, len);
    for (size_t i = 0; i < len; i += 16) {
        g_string_append_printf(s, "%p: ", (const void *)(p + i));
        for (size_t k = i; k < MIN(i + 16, len); k++) {
            g_string_append_printf(s, " %02x", p[k]);
        }
        g_string_append_c(s, '\n');
    }
    log_line(LOG_OUT_ASM, "%s", s->str);
}

void x86_log_enter(struct x86_cpu *cpu, uint32_t mode)
{
    uint64_t base = mode & MODE_64 ? 0 : cpu->seg[SEG_CS].base;

    if (!log_filter(base + cpu->regs[REG_RIP])) {
        return;
    }
    if (x86_logs(cpu, X86_LOG_EXEC)) {
        log_line(LOG_EXEC, "Trace %u: [%08" PRIx64 "/%016" PRIx64 "/%08x]\n", cpu->index, base,
                 base + cpu->regs[REG_RIP], mode);
    }
    if (x86_logs(cpu, X86_LOG_CPU)) {
        g_autoptr(GString) s = g_string_new(NULL);

        x86_cpu_print_regs(cpu, s);
        log_line(LOG_CPU, "%s", s->str);
    }
}

/* --- events --------------------------------------------------------------------------------------------------------- */

static uint64_t pc_of(const struct x86_cpu *cpu, uint64_t ip)
{
    return cpu->mode & MODE_64 ? ip : cpu->seg[SEG_CS].base + ip;
}

void x86_log_int(struct x86_cpu *cpu, const struct x86_log_event *ev)
{
    char more[32] = "";

    if (!ev->soft && !ev->hw && ev->vec == EXC_PF) {
        snprintf(more, sizeof(more), " CR2=%016" PRIx64, cpu->cr2);
    } else if (ev->soft) {
        snprintf(more, sizeof(more), " EAX=%016" PRIx64, cpu->regs[R_AX]);
    }
    log_line(LOG_INT, "CPU %u: v=%02x e=%04x i=%u%s cpl=%u IP=%04x:%016" PRIx64 " pc=%016" PRIx64 " SP=%04x:%016" PRIx64
             "%s\n", cpu->index, ev->vec, ev->has_err ? ev->err : 0, ev->soft, ev->hw ? " hw" : "", cpu->cpl,
             cpu->seg[SEG_CS].sel, ev->ip, pc_of(cpu, ev->ip), cpu->seg[SEG_SS].sel, cpu->regs[R_SP], more);
}

void x86_log_far(struct x86_cpu *cpu, const char *what, uint16_t sel, uint64_t off)
{
    if (cpu->cr0 & CR0_PE) {
        log_line(LOG_PCALL, "CPU %u: %s %04x:%016" PRIx64 " cpl=%u\n", cpu->index, what, sel, off, cpu->cpl);
    }
}

void x86_log_mmu(struct x86_cpu *cpu, const char *what, uint64_t addr, uint32_t err)
{
    log_line(LOG_MMU, "CPU %u: %s %016" PRIx64 " e=%04x\n", cpu->index, what, addr, err);
}

void x86_log_reset(struct x86_cpu *cpu)
{
    g_autoptr(GString) s = g_string_new(NULL);

    x86_cpu_print_regs(cpu, s);
    log_line(LOG_CPU_RESET, "CPU Reset (CPU %u)\n%s", cpu->index, s->str);
}
