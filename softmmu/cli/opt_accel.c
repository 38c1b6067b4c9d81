/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/cli/opt_accel.c - how the CPU is run: -accel and its properties, -machine accel=, -perfmap, -singlestep
 *
 * The first -accel whose engine works here is taken; the others before it only warn. A property that its engine does
 * not have, or with a value that makes no sense, ends the program wherever it stands. "tcg" is what people and tools
 * write for "without help of the hardware": the translator, or the interpreter where the translator cannot run.
 */
#include "cli_internal.h"
#include "lib/bits.h"
#include "lib/strparse.h"
#include <string.h>

/* Host branches reach 2 GiB: no cache of translated code is larger, whatever tb-size= says */
#define TB_SIZE_MAX_MIB 2047

enum { OF_JIT = 1 << 0, OF_INTERP = 1 << 1, OF_KVM = 1 << 2, OF_TCG = OF_JIT | OF_INTERP };

static const struct engine_name {
    const char *name;
    unsigned of;                    /* whose properties it takes */
} engine_names[] = {
    { "interp", OF_INTERP }, { "jit", OF_JIT }, { "kvm", OF_KVM }, { "qtest", 0 }, { "tcg", OF_TCG },
};

static const struct accel_prop {
    const char *name;
    unsigned of;
} accel_props[] = {
    { "thread", OF_TCG }, { "one-insn-per-tb", OF_TCG }, { "chain", OF_TCG }, { "tb-size", OF_JIT },
    { "split-wx", OF_JIT }, { "check", OF_JIT }, { "slots", OF_JIT }, { "interpret", OF_JIT }, { "hot", OF_JIT },
    { "perf-map", OF_JIT }, { "kernel-irqchip", OF_KVM }, { "device", OF_KVM }, { "kvm-shadow-mem", OF_KVM },
    { "dirty-ring-size", OF_KVM }, { "notify-vmexit", OF_KVM },
};

bool opt_accel(struct vm_options *o, const char *arg, Error **errp)
{
    if (opt_wants_help(arg)) {
        opt_print_help(o, x86_jit_works(NULL) ? "Accelerators supported in Patchbay binary:\ninterp\njit\nqtest\ntcg\n" :
                       "Accelerators supported in Patchbay binary:\ninterp\nqtest\ntcg\n");
        return true;
    }
    opt_list_add(o->accels, "-accel", arg);
    return true;
}

bool opt_enable_kvm(struct vm_options *o, const char *arg, Error **errp)
{
    opt_list_add(o->accels, "-enable-kvm", "kvm");
    return true;
}

bool opt_perfmap(struct vm_options *o, const char *arg, Error **errp)
{
    o->engine.perf_map = true;
    return true;
}

bool opt_singlestep(struct vm_options *o, const char *arg, Error **errp)
{
    o->engine.one_insn = true;
    return true;
}

/* --- which ---------------------------------------------------------------------------------------------------------- */

/* Can this program run CPUs that way? */
static bool accel_works(struct vm_options *o, const char *name, Error **errp)
{
    static const char *const foreign[] = { "hvf", "mshv", "nitro", "nvmm", "whpx", "xen", NULL };

    if (!strcmp(name, "qtest") || !strcmp(name, "interp")) {
        opt_replace(&o->accel, name);
        return true;
    }
    if (!strcmp(name, "tcg")) {
        opt_replace(&o->accel, x86_jit_works(NULL) ? "jit" : "interp");
        return true;
    }
    if (!strcmp(name, "jit")) {
        if (x86_jit_works(errp)) {
            opt_replace(&o->accel, "jit");
            return true;
        }
        error_prepend(errp, "accelerator jit does not work here: ");
    } else if (!strcmp(name, "kvm")) {
        error_setg(errp, g_file_test("/dev/kvm", G_FILE_TEST_EXISTS) ? "accelerator kvm is not built yet" :
                   "Could not access KVM kernel module: No such file or directory");
    } else if (g_strv_contains(foreign, name)) {
        error_setg(errp, "accelerator %s is not for this host", name);
    } else {
        error_setg(errp, "invalid accelerator %s", name);
    }
    return false;
}

/* --- properties ----------------------------------------------------------------------------------------------------- */

static const struct engine_name *find_engine(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(engine_names); i++) {
        if (!strcmp(engine_names[i].name, name)) {
            return &engine_names[i];
        }
    }
    return NULL;
}

static unsigned prop_of(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(accel_props); i++) {
        if (!strcmp(accel_props[i].name, name)) {
            return accel_props[i].of;
        }
    }
    return 0;
}

/* Every property belongs to the engine that is named (one that nobody knows is left to accel_works()) */
static bool props_fit(const struct jval *t, Error **errp)
{
    const char *name = jval_get_str(t, "accel"), *size = jval_get_str(t, "tb-size");
    const struct engine_name *e = name ? find_engine(name) : NULL;

    for (unsigned i = 0; e && i < jval_len(t); i++) {
        const char *key = jval_key_at(t, i);

        if (strcmp(key, "accel") && !(prop_of(key) & e->of)) {
            const char *near = qapi_nearest(&qapi_type_AccelOptions, key);

            error_setg(errp, "Property '%s-accel.%s' not found", name, key);
            if (near && prop_of(near) & e->of) {
                error_hint(errp, "Did you mean '%s'?\n", near);
            }
            return false;
        }
    }
    if (size && strcspn(size, "-0123456789") == 0) {
        return true;        /* a number; the visitor knows its range */
    }
    if (size) {
        error_setg(errp, "Parameter 'tb-size' expects uint64");
        return false;
    }
    return true;
}

/* "0x1000-0x2000" */
static bool parse_range(const char *s, uint64_t *from, uint64_t *to)
{
    char *end;

    if (!g_ascii_isdigit(*s)) {
        return false;
    }
    *from = g_ascii_strtoull(s, &end, 0);
    if (*end != '-' || !g_ascii_isdigit(end[1])) {
        return false;
    }
    *to = g_ascii_strtoull(end + 1, &end, 0);
    return !*end && *to > *from;
}

static bool set_props(struct vm_options *o, const AccelOptions *a, Error **errp)
{
    struct x86_engine_opts *e = &o->engine;

    if (a->thread && strcmp(a->thread, "multi") && strcmp(a->thread, "single")) {
        error_setg(errp, "Invalid 'thread' setting %s", a->thread);
        return false;
    }
    if (a->interpret && !parse_range(a->interpret, &e->interp_from, &e->interp_to)) {
        error_setg(errp, "Parameter 'interpret' expects a range of addresses: FROM-TO");
        return false;
    }
    if (a->has_hot && !a->hot) {
        error_setg(errp, "Parameter 'hot' expects a number of runs from 1");
        return false;
    }
    o->one_thread = a->thread && !strcmp(a->thread, "single");
    e->tb_size = a->has_tb_size ? MIN(a->tb_size, TB_SIZE_MAX_MIB) : 0;
    e->check = a->has_check && a->check;
    e->one_insn |= a->has_one_insn_per_tb && a->one_insn_per_tb;
    e->no_chain = a->has_chain && !a->chain;
    e->no_slots = a->has_slots && !a->slots;
    e->keep_lock = a->has_lock && a->lock;
    e->perf_map |= a->has_perf_map && a->perf_map;
    e->hot = a->has_hot ? a->hot : 0;
    return true;
}

/* What was asked for and cannot be had is said, not passed over */
static void warn_props(const struct vm_options *o, const AccelOptions *a)
{
    bool translator = (a->has_check && a->check) || (a->has_slots && !a->slots) || (a->has_lock && a->lock) || a->interpret || a->has_hot ||
                      o->engine.perf_map;

    if (!strcmp(a->accel, "tcg") && translator && !strcmp(o->accel, "interp")) {
        warn_report("-accel tcg: the translator does not work here; check, slots, lock, interpret, hot and perf-map are ignored");
    }
    if (a->has_split_wx && !a->split_wx) {
        warn_report("-accel %s: split-wx=off is ignored: code is never writable and executable at once", a->accel);
    }
}

/* --- choice --------------------------------------------------------------------------------------------------------- */

static void chosen(struct vm_options *o)
{
    o->engine.jit = !strcmp(o->accel, "jit");
}

bool accel_of_machine(struct vm_options *o, const char *names, Error **errp)
{
    g_auto(GStrv) list = g_strsplit(names, ":", -1);
    Error *err = NULL;
    bool ok = false;

    for (unsigned i = 0; i < o->accels->len; i++) {
        struct opt_item *it = g_ptr_array_index(o->accels, i);

        if (!strcmp(it->opt, "-accel")) {
            error_setg(errp, "The -accel and \"-machine accel=\" options are incompatible");
            return false;
        }
    }
    for (unsigned i = 0; list[i] && !ok; i++) {
        g_clear_pointer(&err, error_free);
        ok = accel_works(o, list[i], &err);
    }
    if (ok) {
        chosen(o);
        return true;
    }
    error_propagate(errp, err);
    error_prepend(errp, "-machine accel=%s: ", names);
    return false;
}

/* Return: 1 taken; 0 does not work here, -1 makes no sense (either: *errp is set) */
static int try_accel(struct vm_options *o, const struct opt_item *it, Error **errp)
{
    enum qapi_mode mode;
    struct jval *t = opts_tree(it->arg, "accel", &mode, NULL, errp);
    const char *name = t ? jval_get_str(t, "accel") : NULL;
    bool known = !name || find_engine(name);
    AccelOptions *a = NULL;
    int done = -1;

    if (!known) {
        done = accel_works(o, name, errp);
    } else if (t && props_fit(t, errp)) {
        a = qapi_parse(&qapi_type_AccelOptions, t, mode, errp);
    }
    if (a && set_props(o, a, errp)) {
        done = accel_works(o, a->accel, errp);
        if (done == 1) {
            warn_props(o, a);
        }
    }
    qapi_free_AccelOptions(a);
    jval_free(t);
    return done;
}

bool accel_finish(struct vm_options *o, Error **errp)
{
    const struct x86_engine_opts before = o->engine;

    for (unsigned i = 0; i < o->accels->len; i++) {
        struct opt_item *it = g_ptr_array_index(o->accels, i);
        Error *err = NULL;
        int done;

        o->engine = before;
        done = try_accel(o, it, &err);
        if (done == 1) {
            chosen(o);
            return true;
        }
        if (!strcmp(it->opt, "-enable-kvm")) {
            error_prepend(&err, "-enable-kvm: ");
        } else {
            opt_prefix(it, &err);
        }
        if (done < 0 || i + 1 == o->accels->len) {
            error_propagate(errp, err);
            return false;
        }
        warn_report("%s", error_text(err));
        error_free(err);
    }
    if (!accel_works(o, "tcg", errp)) {
        return false;
    }
    chosen(o);
    if (o->engine.perf_map && !o->engine.jit) {
        warn_report("-perfmap: the translator does not work here; ignored");
    }
    return true;
}
