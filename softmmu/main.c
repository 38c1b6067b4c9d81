/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/main.c - from a command line to a running machine and to an exit status
 *
 * The order is that of dependence: chardevs, monitors (clients connect at once), network backends, the board, cards, user's devices, CPU
 * threads. Then the main loop until somebody asks for the end. Everything is taken down in reverse.
 */
#include "cli/daemon.h"
#include "cli/options.h"
#include "chardev/chardev.h"
#include "core/fence.h"
#include "core/loop.h"
#include "core/runstate.h"
#include "hw/i386/pc.h"
#include "hw/net/nics.h"
#include "hw/pci/pci.h"
#include "lib/log.h"
#include "monitor/monitor.h"
#include "net/client.h"
#include "softmmu/machine.h"
#include "softmmu/none.h"
#include "softmmu/qtest.h"
#include "softmmu/vcpu.h"
#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

struct pc *machine_pc;      /* softmmu/machine.h */
static struct none_machine *machine_none;

static gboolean asked_to_end(gpointer signo)
{
    runstate_request_shutdown(SHUTDOWN_HOST_SIGNAL);
    return G_SOURCE_CONTINUE;
}

static void signals_init(void)
{
    static const int end[] = { SIGTERM, SIGINT, SIGHUP };

    signal(SIGPIPE, SIG_IGN);
    for (unsigned i = 0; i < G_N_ELEMENTS(end); i++) {
        g_unix_signal_add(end[i], asked_to_end, NULL);
    }
}

/* Each connection of the user network is a descriptor of ours: take what the system allows */
static void raise_fd_limit(void)
{
    struct rlimit r;

    if (!getrlimit(RLIMIT_NOFILE, &r)) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

static bool log_init(const struct vm_options *o, Error **errp)
{
    if ((o->log_mask || o->log_file) && !log_set(o->log_mask, o->log_file)) {
        error_setg_errno(errp, errno, "-D %s: cannot open the log file", o->log_file);
        return false;
    }
    return true;
}

static void types_init(void)
{
    hw_pci_register_types();
    hw_net_register_types();
    hw_board_register_types();
}

static bool no_cpu(const struct vm_options *o)
{
    return !strcmp(o->accel, "qtest");
}

static bool board_init(const struct vm_options *o, Error **errp)
{
    struct pc_config cfg = {
        .ram_size = o->ram_size,
        .kernel = o->kernel,
        .initrd = o->initrd,
        .append = o->append,
        .no_kernel_decompress = o->no_kernel_decompress,
        .no_kernel_cache = o->no_kernel_cache,
        .cpu = no_cpu(o) ? NULL : o->cpu ? o->cpu : "qemu64",
        .cpus = no_cpu(o) ? 0 : o->smp_cpus,
        .engine = &o->engine,
        .no_acpi = o->no_acpi,
        .no_hpet = o->no_hpet,
        .default_vga = !o->vga || strcmp(o->vga, "none"),
        .rtc_localtime = o->rtc_base == VM_RTC_LOCALTIME,
        .rtc_date = o->rtc_base == VM_RTC_DATE ? o->rtc_date : -1,
        .uuid = o->uuid,
    };

    memcpy(cfg.serial, o->serial, sizeof(cfg.serial));
    memcpy(cfg.serial_port, o->serial_port, sizeof(cfg.serial_port));
    machine_pc = pc_new(&cfg, errp);
    return machine_pc != NULL;
}

/* The board, what is plugged into it, and its CPU threads */
static bool machine_init(struct vm_options *o, Error **errp)
{
    struct x86_cpu *cpu;

    if (!strcmp(o->machine, "none")) {
        machine_none = none_new();
        return cli_create_nics(o, NULL, errp) && cli_create_devices(o, errp) &&
               (!o->qtest || qtest_init(o->qtest, o->qtest_log, &machine_none->mem, &machine_none->io, errp));
    }
    if (!board_init(o, errp) || !cli_create_nics(o, "e1000", errp) || !cli_create_devices(o, errp) ||
        !pc_boot_init(machine_pc, errp)) {
        return false;
    }
    if (o->qtest && !qtest_init(o->qtest, o->qtest_log, pc_memory(machine_pc), pc_io(machine_pc), errp)) {
        return false;
    }
    if (!no_cpu(o)) {
        cpu = pc_cpu(machine_pc, 0);
        vcpus_start(&cpu, 1);
    }
    return true;
}

static bool setup(struct vm_options *o, Error **errp)
{
    if (!log_init(o, errp) || !daemon_start(o, errp)) {
        return false;
    }
    raise_fd_limit();
    loop_init();
    signals_init();
    runstate_set_policy(o->no_reboot, o->no_shutdown);
    if (!daemon_write_pidfile(o, errp) || !cli_create_chardevs(o, errp) || !monitor_create_all(o, errp) ||
        !cli_create_backends(o, errp) || !machine_init(o, errp)) {
        return false;
    }
    cli_check_network(o);
    daemon_ready();
    return true;
}

static void teardown(void)
{
    runstate_set(RUN_STATE_SHUTDOWN);
    vcpus_stop();
    monitor_cleanup();
    qtest_end();
    pc_free(machine_pc);
    none_free(machine_none);
    net_cleanup();
    chardev_free_all();
    daemon_end();
}

int main(int argc, char **argv)
{
    struct vm_options o;
    Error *err = NULL;
    int status = 0;

    error_set_program(argv[0]);
    fence_init();
    types_init();           /* "-device help" lists them */
    if (!cli_parse(argc, argv, &o, &err)) {
        error_report_err(err);
        vm_options_clear(&o);
        return 1;
    }
    if (!o.exit_now && !setup(&o, &err)) {
        error_report_err(err);
        chardev_free_all();     /* puts the terminal back */
        daemon_end();
        return 1;
    }
    if (!o.exit_now) {
        if (!o.paused) {
            runstate_set(RUN_STATE_RUNNING);
        }
        loop_run();
        status = runstate_exit_status();
        teardown();
    }
    vm_options_clear(&o);
    return status;
}
