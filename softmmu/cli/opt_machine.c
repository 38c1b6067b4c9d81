/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/cli/opt_machine.c - what the machine is: board, CPU, memory, clock, name
 *
 * -machine and -accel may come in any number and order; machine_finish() merges and chooses after the last option.
 */
#include "cli_internal.h"
#include "cli/machine_types.h"
#include "hw/i386/pc.h"
#include "lib/bits.h"
#include "lib/strparse.h"
#include "target/x86/cpu.h"
#include <stdio.h>
#include <string.h>

static const char *const later_names[] = { "q35", "isapc", "microvm", "x-remote", "xenfv", "xenpv", NULL };

bool opt_machine(struct vm_options *o, const char *arg, Error **errp)
{
    bool help = false;
    struct jval *t;

    if (opt_wants_help(arg)) {
        g_autofree char *text = machine_types_help();

        opt_print_help(o, text);
        return true;
    }
    t = keyval_parse(arg, "type", &help, errp);
    if (!t) {
        return false;
    }
    if (help) {
        char *text = qapi_help(&qapi_type_MachineOptions, -1);

        opt_print_help(o, text);
        g_free(text);
    }
    for (unsigned i = 0; i < jval_len(t); i++) {
        const struct jval *v = jval_at(t, i);

        jval_set(o->machine_props, jval_key_at(t, i), jval_copy(jval_repeated(v) ? jval_at(v, jval_len(v) - 1) : v));
    }
    jval_free(t);
    return true;
}

bool opt_no_acpi(struct vm_options *o, const char *arg, Error **errp)
{
    o->no_acpi = true;
    return true;
}

bool opt_no_hpet(struct vm_options *o, const char *arg, Error **errp)
{
    o->no_hpet = true;
    return true;
}

static bool choose_board(struct vm_options *o, const char *type, Error **errp)
{
    const struct machine_type *t = machine_type_find(type ? type : "pc");

    if (t) {
        opt_replace(&o->machine, t->board);
    } else if (g_strv_contains(later_names, type) || g_str_has_prefix(type, "pc-q35-")) {
        error_setg(errp, "machine type '%s' is not built yet", type);
        return false;
    } else {
        error_setg(errp, "unsupported machine type: \"%s\"", type);
        error_hint(errp, "Use -machine help to list supported machines\n");
        return false;
    }
    opt_replace(&o->machine_name, type ? type : "pc");
    return true;
}

static bool apply_machine(struct vm_options *o, const MachineOptions *m, Error **errp)
{
    if (!choose_board(o, m->type, errp)) {
        return false;
    }
    if (m->has_acpi && m->acpi == ON_OFF_AUTO_OFF) {
        o->no_acpi = true;
    }
    if (m->has_hpet && !m->hpet) {
        o->no_hpet = true;
    }
    o->no_kernel_decompress = m->has_kernel_decompress && !m->kernel_decompress;
    o->no_kernel_cache = m->has_kernel_cache && !m->kernel_cache;
    if (m->firmware) {
        error_setg(errp, "firmware is not built yet");
        return false;
    }
    if (m->has_usb && m->usb) {
        error_setg(errp, "usb=on is not built yet");
        return false;
    }
    if (m->kernel) {
        opt_replace(&o->kernel, m->kernel);
    }
    if (m->initrd) {
        opt_replace(&o->initrd, m->initrd);
    }
    if (m->append) {
        opt_replace(&o->append, m->append);
    }
    return true;
}

static bool finish_board(struct vm_options *o, Error **errp)
{
    MachineOptions *m = qapi_parse(&qapi_type_MachineOptions, o->machine_props, QAPI_KEYVAL, errp);
    const struct jval *type = jval_get(o->machine_props, "type");
    bool ok = m && apply_machine(o, m, errp);

    if (ok && m->accel) {
        ok = accel_of_machine(o, m->accel, errp);
    } else if (!ok) {
        error_prepend(errp, "-machine %s: ", type && jval_type(type) == JVAL_STR ? jval_str_of(type) : "pc");
    }
    qapi_free_MachineOptions(m);
    return ok;
}

bool machine_finish(struct vm_options *o, Error **errp)
{
    if (!finish_board(o, errp) || (!o->accel && !accel_finish(o, errp))) {
        return false;
    }
    o->engine.log = x86_log_bits(o->log_mask);
    if (o->one_thread && o->smp_cpus > 1) {
        error_setg(errp, "-accel thread=single: several CPUs in one thread are not built yet");
        return false;
    }
    if (o->qtest && strcmp(o->accel, "qtest")) {
        warn_report("-qtest without -accel qtest: guest code runs, and the clock is not the test's");
    }
    if (o->kernel && !strcmp(o->machine, "none")) {
        error_setg(errp, "-kernel %s: machine type 'none' has nothing to start it on", o->kernel);
        return false;
    }
    if (o->initrd && !o->kernel) {
        error_setg(errp, "-initrd only allowed with -kernel option");
        return false;
    }
    if (o->append && !o->kernel) {
        error_setg(errp, "-append only allowed with -kernel option");
        return false;
    }
    return true;
}

bool opt_cpu(struct vm_options *o, const char *arg, Error **errp)
{
    if (opt_wants_help(arg)) {
        char *text = x86_features_help();

        opt_print_help(o, text);
        g_free(text);
        return true;
    }
    opt_replace(&o->cpu, arg);
    return true;
}

/* a x b x c, or UINT32_MAX when that is more */
static uint64_t product(uint32_t a, uint32_t b, uint32_t c)
{
    uint64_t n = MIN((uint64_t)a * b, UINT32_MAX);

    return MIN(n * c, UINT32_MAX);
}

bool opt_smp(struct vm_options *o, const char *arg, Error **errp)
{
    SmpOptions *s = opts_parse(&qapi_type_SmpOptions, arg, "cpus", errp);
    uint64_t n;

    if (!s) {
        return false;
    }
    n = product(s->has_sockets ? s->sockets : 1, s->has_cores ? s->cores : 1, s->has_threads ? s->threads : 1);
    n = s->has_cpus ? s->cpus : s->has_maxcpus ? s->maxcpus : n;
    qapi_free_SmpOptions(s);
    if (n == 0) {
        error_setg(errp, "Invalid CPU topology: CPU topology parameters must be greater than zero");
        return false;
    }
    if (n > PC_CPUS_MAX) {
        error_setg(errp, "more than %s not built yet", PC_CPUS_MAX == 1 ? "one CPU is" : G_STRINGIFY(PC_CPUS_MAX) " CPUs are");
        return false;
    }
    o->smp_cpus = (unsigned)n;
    return true;
}

bool opt_m(struct vm_options *o, const char *arg, Error **errp)
{
    MemoryOptions *m = opts_parse(&qapi_type_MemoryOptions, arg, "size", errp);
    uint64_t size = o->ram_size;
    bool ok = m != NULL;

    if (ok && m->size && (!parse_size(m->size, MiB, &size) || size > (1ULL << 46))) {
        error_setg(errp, "Parameter 'size' expects a size value");
        error_hint(errp,
                "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta- and exabytes, respectively.\n");
        ok = false;
    } else if (ok && size < MiB) {
        error_setg(errp, "Invalid RAM size: at least 1 MiB is needed");
        ok = false;
    } else if (ok && (m->has_slots || m->maxmem) && m->slots) {
        error_setg(errp, "memory hot plug (slots=, maxmem=) is not built yet");
        ok = false;
    }
    if (ok) {
        o->ram_size = align_up(size, 8192);
    }
    qapi_free_MemoryOptions(m);
    return ok;
}

bool opt_name(struct vm_options *o, const char *arg, Error **errp)
{
    NameOptions *n = opts_parse(&qapi_type_NameOptions, arg, "guest", errp);

    if (!n) {
        return false;
    }
    if (n->guest) {
        opt_replace(&o->name, n->guest);
    }
    qapi_free_NameOptions(n);
    return true;
}

bool opt_uuid(struct vm_options *o, const char *arg, Error **errp)
{
    if (!g_uuid_string_is_valid(arg)) {
        error_setg(errp, "Failed to parse UUID string: %s", arg);
        return false;
    }
    g_free(o->uuid);
    o->uuid = g_ascii_strdown(arg, -1);
    return true;
}

bool opt_boot(struct vm_options *o, const char *arg, Error **errp)
{
    BootOptions *b = opts_parse(&qapi_type_BootOptions, arg, "order", errp);

    if (!b) {
        return false;
    }
    if (b->order) {
        opt_replace(&o->boot_order, b->order);
    }
    qapi_free_BootOptions(b);
    return true;
}

static bool parse_date(const char *s, int64_t *out)
{
    GTimeZone *utc = g_time_zone_new_utc();
    char *with_time = strchr(s, 'T') ? g_strdup(s) : g_strconcat(s, "T00:00:00", NULL);
    GDateTime *d = g_date_time_new_from_iso8601(with_time, utc);

    if (d) {
        *out = g_date_time_to_unix(d);
        g_date_time_unref(d);
    }
    g_free(with_time);
    g_time_zone_unref(utc);
    return d != NULL;
}

bool opt_rtc(struct vm_options *o, const char *arg, Error **errp)
{
    RtcOptions *r = opts_parse(&qapi_type_RtcOptions, arg, "base", errp);
    bool ok = r != NULL;

    if (!ok) {
        return false;
    }
    if (!r->base || !strcmp(r->base, "utc")) {
        o->rtc_base = VM_RTC_UTC;
    } else if (!strcmp(r->base, "localtime")) {
        o->rtc_base = VM_RTC_LOCALTIME;
    } else if (parse_date(r->base, &o->rtc_date)) {
        o->rtc_base = VM_RTC_DATE;
    } else {
        error_setg(errp, "invalid datetime format");
        error_hint(errp, "valid formats: '2006-06-17T16:01:21' or '2006-06-17'\n");
        ok = false;
    }
    qapi_free_RtcOptions(r);
    return ok;
}

bool opt_k(struct vm_options *o, const char *arg, Error **errp)
{
    return true;
}

static bool audio_option(const char *arg, Error **errp)
{
    AudioOptions *a = opts_parse(&qapi_type_AudioOptions, arg, "driver", errp);
    bool ok = a && !strcmp(a->driver, "none");

    if (a && !ok) {
        error_setg(errp, "Parameter 'driver' does not accept value '%s'", a->driver);
    }
    qapi_free_AudioOptions(a);
    return ok;
}

bool opt_audio(struct vm_options *o, const char *arg, Error **errp)
{
    return audio_option(arg, errp);
}

bool opt_audiodev(struct vm_options *o, const char *arg, Error **errp)
{
    return audio_option(arg, errp);
}

bool opt_kernel(struct vm_options *o, const char *arg, Error **errp)
{
    opt_replace(&o->kernel, arg);
    return true;
}

bool opt_initrd(struct vm_options *o, const char *arg, Error **errp)
{
    opt_replace(&o->initrd, arg);
    return true;
}

bool opt_append(struct vm_options *o, const char *arg, Error **errp)
{
    opt_replace(&o->append, arg);
    return true;
}

bool opt_L(struct vm_options *o, const char *arg, Error **errp)
{
    if (opt_wants_help(arg)) {
        for (unsigned i = 0; i < o->data_dirs->len; i++) {
            printf("%s\n", (char *)g_ptr_array_index(o->data_dirs, i));
        }
        opt_print_help(o, "/usr/share/seabios\n/usr/share/qemu\n/usr/lib/ipxe/qemu\n");
        return true;
    }
    g_ptr_array_add(o->data_dirs, g_strdup(arg));
    return true;
}

bool opt_vga(struct vm_options *o, const char *arg, Error **errp)
{
    if (opt_wants_help(arg)) {
        opt_print_help(o, "none                 no graphics card\nstd                  standard VGA (default)\n");
        return true;
    }
    if (strcmp(arg, "none") && strcmp(arg, "std")) {
        error_setg(errp, "unknown vga type: %s", arg);
        return false;
    }
    opt_replace(&o->vga, arg);
    return true;
}
