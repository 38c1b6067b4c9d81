/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/monitor/hmp.h - the human monitor: a table of commands, and what their functions use
 *
 * Arguments are described by a short text, parsed once (hmp_args.c) and handed over as a dict:
 *   "name:s,up:b"   s a word, "quoted words" too; S the rest of the line; o the rest of the line if any is left; b
 *   on|off;
 *                   i an integer; l an expression ($reg, + - * /); f /COUNT FORMAT SIZE (as count, format, size);
 *                   - a flag ("stats:-s")   '?' behind the letter: may be missing
 */
#ifndef MONITOR_HMP_H
#define MONITOR_HMP_H

#include "qapi/jval.h"

struct hmp {
    GString *out;               /* lines end in \n; made CR LF on the way out */
    unsigned cpu;               /* whose registers and memory are meant */
    void *session;              /* NULL: human-monitor-command */
};

struct hmp_cmd {
    const char *name;           /* "quit|q"; NULL ends a table */
    const char *args;           /* see above; "" none */
    const char *params;         /* for help: "name on|off" */
    const char *help;
    void (*fn)(struct hmp *h, const struct jval *args);
    void (*complete)(unsigned argno, const char *word, GPtrArray *out);     /* or NULL; argno 1: first argument */
};

extern const struct hmp_cmd hmp_commands[], hmp_info_commands[];

void hmp_printf(struct hmp *h, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/** hmp_error() - "Error: TEXT" and its hints; frees @err; NULL is fine */
void hmp_error(struct hmp *h, Error *err);
/** hmp_run() - one line */
void hmp_run(struct hmp *h, const char *line);
/** hmp_add_candidate() - for completion: @name if it starts with @word */
void hmp_add_candidate(GPtrArray *out, const char *word, const char *name);
void hmp_complete(const char *head, GPtrArray *out);
void hmp_help(struct hmp *h, const struct jval *args);
void hmp_info(struct hmp *h, const struct jval *args);
void hmp_history(struct hmp *h, const struct jval *args);

/* hmp_args.c */
/** hmp_args_parse() - @text by @spec; NULL: *errp is set */
struct jval *hmp_args_parse(struct hmp *h, const char *spec, const char *cmd, const char *text, Error **errp);
/** hmp_expr() - an expression; *end behind it */
bool hmp_expr(struct hmp *h, const char *text, const char **end, uint64_t *val, Error **errp);

/* the commands: cmd_*.c */
void hmp_stop(struct hmp *h, const struct jval *args);
void hmp_cont(struct hmp *h, const struct jval *args);
void hmp_system_reset(struct hmp *h, const struct jval *args);
void hmp_system_powerdown(struct hmp *h, const struct jval *args);
void hmp_quit(struct hmp *h, const struct jval *args);
void hmp_info_status(struct hmp *h, const struct jval *args);
void hmp_set_link(struct hmp *h, const struct jval *args);
void hmp_getfd(struct hmp *h, const struct jval *args);
void hmp_closefd(struct hmp *h, const struct jval *args);
void hmp_hostfwd_add(struct hmp *h, const struct jval *args);
void hmp_hostfwd_remove(struct hmp *h, const struct jval *args);
void hmp_netdev_add(struct hmp *h, const struct jval *args);
void hmp_netdev_del(struct hmp *h, const struct jval *args);
void hmp_netdev_swap(struct hmp *h, const struct jval *args);
void hmp_announce_self(struct hmp *h, const struct jval *args);
void hmp_info_network(struct hmp *h, const struct jval *args);
void hmp_info_switch(struct hmp *h, const struct jval *args);
void hmp_info_usernet(struct hmp *h, const struct jval *args);
void hmp_device_add(struct hmp *h, const struct jval *args);
void hmp_device_del(struct hmp *h, const struct jval *args);
void hmp_info_qtree(struct hmp *h, const struct jval *args);
void hmp_info_pci(struct hmp *h, const struct jval *args);
void hmp_x(struct hmp *h, const struct jval *args);
void hmp_xp(struct hmp *h, const struct jval *args);
void hmp_print(struct hmp *h, const struct jval *args);
void hmp_io_read(struct hmp *h, const struct jval *args);
void hmp_io_write(struct hmp *h, const struct jval *args);
void hmp_info_mem(struct hmp *h, const struct jval *args);
void hmp_info_mtree(struct hmp *h, const struct jval *args);
void hmp_info_registers(struct hmp *h, const struct jval *args);
void hmp_info_cpus(struct hmp *h, const struct jval *args);
void hmp_info_opcount(struct hmp *h, const struct jval *args);
void hmp_info_jit(struct hmp *h, const struct jval *args);
void hmp_cpu(struct hmp *h, const struct jval *args);
void hmp_nmi(struct hmp *h, const struct jval *args);
void hmp_log(struct hmp *h, const struct jval *args);
void hmp_logfile(struct hmp *h, const struct jval *args);
void hmp_info_irq(struct hmp *h, const struct jval *args);
void hmp_info_pic(struct hmp *h, const struct jval *args);
void hmp_info_lapic(struct hmp *h, const struct jval *args);
void hmp_info_version(struct hmp *h, const struct jval *args);
void hmp_info_chardev(struct hmp *h, const struct jval *args);
void hmp_info_name(struct hmp *h, const struct jval *args);
void hmp_info_uuid(struct hmp *h, const struct jval *args);
void hmp_info_kvm(struct hmp *h, const struct jval *args);
void hmp_info_block(struct hmp *h, const struct jval *args);

/* completion */
void complete_clients(unsigned argno, const char *word, GPtrArray *out);
void complete_netdev_swap(unsigned argno, const char *word, GPtrArray *out);
void complete_set_link(unsigned argno, const char *word, GPtrArray *out);
void complete_netdev_types(unsigned argno, const char *word, GPtrArray *out);
void complete_device_types(unsigned argno, const char *word, GPtrArray *out);
void complete_info(unsigned argno, const char *word, GPtrArray *out);
void complete_commands(unsigned argno, const char *word, GPtrArray *out);

#endif
