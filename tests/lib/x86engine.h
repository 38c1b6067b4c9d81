/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/x86engine.h - run the CPU tests on another engine: PATCHBAY_TEST_ENGINE=jit, PATCHBAY_TEST_HOT=runs before translation (2)
 */
#ifndef TESTS_LIB_X86ENGINE_H
#define TESTS_LIB_X86ENGINE_H

#include "target/x86/cpu.h"
#include <glib.h>

static inline void test_engine(struct x86_cpu *cpu)
{
    const char *name = g_getenv("PATCHBAY_TEST_ENGINE"), *hot = g_getenv("PATCHBAY_TEST_HOT");
    struct x86_engine_opts o = { .jit = true, .check = g_getenv("PATCHBAY_TEST_CHECK") != NULL, .hot = hot ? (uint32_t)g_ascii_strtoull(hot, NULL, 10) : 2, .tb_size = 4 };
    Error *err = NULL;

    if (name && g_str_equal(name, "jit") && !x86_cpu_set_engine(cpu, &o, &err)) {
        g_error("%s", error_text(err));
    }
}

#endif
