/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/log.h - the -d log: categories, a file, nothing when off
 *
 * Thread-safe: one line is written at once. What a guest can trigger goes through log_guest(), which is rate limited
 * (64 KiB a minute for all of them together, the rest is counted), so that no guest can fill a disk. The exception is
 * what only those switch on who want all of it: in_asm, op, out_asm, exec, cpu, int, pcall, mmu (target/x86/trace_log.c).
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include "lib/error.h"
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum log_cat {
    LOG_UNIMP       = 1 << 0,   /* what the guest asked for and we do not have */
    LOG_GUEST_ERROR = 1 << 1,   /* what the guest did wrong */
    LOG_IN_ASM      = 1 << 2,   /* decoded blocks */
    LOG_INT         = 1 << 3,   /* exceptions and interrupts */
    LOG_EXEC        = 1 << 4,   /* each block run */
    LOG_CPU         = 1 << 5,   /* registers before each block */
    LOG_CPU_RESET   = 1 << 6,
    LOG_TRACE       = 1 << 7,   /* device trace lines */
    LOG_PCALL       = 1 << 8,
    LOG_MMU         = 1 << 9,
    LOG_OP          = 1 << 10,
    LOG_OUT_ASM     = 1 << 11,
    LOG_STRACE_NET  = 1 << 12,  /* net: every frame at the clients */
    LOG_NOCHAIN     = 1 << 13,  /* writes nothing: blocks go through the engine, so that exec and cpu see each */
};

/** log_mask - categories switched on; set by log_set() at start-up and by the monitor's "log" command */
extern uint32_t log_mask;

static inline bool log_on(uint32_t cats)
{
    return __builtin_expect((log_mask & cats) != 0, 0);
}

/** log_parse() - "int,unimp" to a mask; false for an unknown word, with *bad pointing at it */
bool log_parse(const char *words, uint32_t *mask, const char **bad);
/** log_help() - one "name  description" line a category, in text for a person; caller frees */
char *log_help(void);
/**
 * log_set_filter() - -dfilter: addresses that log_filter() lets pass, "FROM..TO", "FROM+SIZE", "TO-SIZE", by commas
 * Before any thread that logs.
 */
bool log_set_filter(const char *ranges, Error **errp);
/** log_filter() - is @addr in a range of -dfilter; true without -dfilter */
bool log_filter(uint64_t addr);
/** log_set() - switch categories; @path NULL keeps the present file (stderr at first). false: errno is set */
bool log_set(uint32_t mask, const char *path);
/** log_line() - write if @cat is on */
void log_line(uint32_t cat, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/** log_guest() - as log_line(), for events that a guest, peer or client can cause at will: rate limited */
void log_guest(uint32_t cat, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

#endif
