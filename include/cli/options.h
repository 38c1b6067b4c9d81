/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cli/options.h - the command line as a plain struct, and the steps that make what it asks for
 *
 * Order of use (main.c):
 *     cli_parse()                 nothing outside *o is touched; help and version print and set exit_now
 *     daemon_start()              -daemonize: fork (cli/daemon.h)
 *     loop_init()...
 *     cli_create_chardevs()       -chardev; opens -serial
 *     monitor_create_all()        monitor/monitor.h: before slow work, clients connect at once
 *     cli_create_backends()       objects, netdevs (any order on the command line: JSON, stream and dgram ones
 *     first), -nic, -net
 *     pc_new()                    with o->serial[]
 *     cli_create_nics()           NICs of -nic, -net nic and the default one
 *     cli_create_devices()        -device
 *     cli_check_network()         the warnings about loose ends
 * Every function returns false with *errp set; its text begins with "-OPTION ARGUMENT: ".
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "lib/error.h"
#include "target/x86/cpu.h"
#include <stdint.h>

struct chardev;
struct jval;

#define CLI_MAX_SERIAL 4
#define CLI_MAX_NICS   8

/* One occurrence of an option that may be given several times. */
struct opt_item {
    char *opt;                      /* as typed: "-netdev" */
    char *arg;
};

/* A NIC to create: -nic and -net nic */
struct vm_nic {
    char *opt, *arg;                /* for messages */
    char *model;                    /* NULL: the board's default */
    char *netdev;                   /* client to plug into, or NULL */
    char *addr;                     /* PCI address, or NULL */
    char *vectors;                  /* or NULL */
    bool has_mac, mac_given;
    uint8_t mac[6];
    struct jval *props;             /* nic.PROP= pass-through; or NULL */
    bool is_default;                /* nobody asked for it */
};

enum vm_rtc_base { VM_RTC_UTC, VM_RTC_LOCALTIME, VM_RTC_DATE };

struct vm_options {
    bool exit_now;                  /* help or version was printed: exit with status 0 */

    /* machine */
    char *machine;                  /* "pc" (also for its versioned names) or "none" */
    char *machine_name;             /* as the user wrote it, or "pc" */
    uint64_t ram_size;              /* bytes, a multiple of 8 KiB */
    char *cpu;                      /* -cpu, or NULL: default model */
    char *accel;                    /* chosen: "jit", "interp" or "qtest" */
    struct x86_engine_opts engine;  /* of jit and interp */
    bool one_thread;                /* all CPUs in one thread */
    unsigned smp_cpus;              /* 1 */
    bool no_acpi, no_hpet;
    bool no_kernel_decompress, no_kernel_cache;
    char *kernel, *initrd, *append; /* or NULL */
    char *name;                     /* or NULL */
    char *uuid;                     /* 36 characters, lower case, or NULL */
    enum vm_rtc_base rtc_base;
    int64_t rtc_date;               /* VM_RTC_DATE: seconds since 1970 that the clock shows at the start */
    char *boot_order;               /* letters, or NULL */
    char *vga;                      /* "std", "none" or NULL: default */
    GPtrArray *data_dirs;           /* -L, of char * */

    /* running */
    bool paused;                    /* -S */
    bool no_reboot, no_shutdown;
    bool nodefaults;
    bool nographic, display_none;
    bool daemonize;
    bool exit_with_parent;
    char *pidfile;
    char *log_file;                 /* -D */
    uint32_t log_mask;              /* -d */
    char *qtest, *qtest_log;        /* or NULL */

    /* in order of appearance; of struct opt_item */
    GPtrArray *chardevs, *serials, *parallels, *monitors, *objects, *netdevs, *nics, *nets, *devices, *globals;

    /* made by the cli_create functions */
    struct chardev *serial[CLI_MAX_SERIAL];     /* NULL: port without chardev, or no port */
    bool serial_port[CLI_MAX_SERIAL];           /* the port exists */
    struct vm_nic *nic[CLI_MAX_NICS];
    unsigned nnics;
    bool default_net;               /* nobody asked for a network */

    /* private to softmmu/cli */
    GPtrArray *accels;              /* candidates, of struct opt_item (opt may be NULL) */
    struct jval *machine_props;
    char *mon_default;              /* monitor that no option asked for: its chardev spec, or NULL */
};

bool cli_parse(int argc, char **argv, struct vm_options *o, Error **errp);
void vm_options_clear(struct vm_options *o);

bool cli_create_chardevs(struct vm_options *o, Error **errp);
bool cli_create_backends(struct vm_options *o, Error **errp);
/** cli_create_nics() - @default_model: of NICs without model=, the board's ("e1000"); NULL: the board has none */
bool cli_create_nics(struct vm_options *o, const char *default_model, Error **errp);
bool cli_create_devices(struct vm_options *o, Error **errp);
/** cli_check_network() - warnings: netdev without peer and the like; nothing about the built-in default */
void cli_check_network(const struct vm_options *o);

/** cli_version_text() - "Patchbay emulator version X.Y.Z ..."; constant */
const char *cli_version_text(void);

#endif
