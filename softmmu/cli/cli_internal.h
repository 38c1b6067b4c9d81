/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/cli/cli_internal.h - what the files of this folder share */
#ifndef CLI_INTERNAL_H
#define CLI_INTERNAL_H

#include "cli/options.h"
#include "qapi/keyval.h"
#include "qapi/qapi-handlers.h"
#include "qapi/schema.h"

typedef bool opt_fn(struct vm_options *o, const char *arg, Error **errp);

/** opt_prefix() - put "-netdev ARGS: " before the message */
void opt_prefix(const struct opt_item *it, Error **errp);
/** opt_print_help() - print and ask for an exit */
void opt_print_help(struct vm_options *o, const char *text);
/** opt_list_add() - remember an occurrence (its spelling is that of the option being parsed) */
void opt_list_add(GPtrArray *list, const char *opt, const char *arg);
/** opt_wants_help() - the argument is "help" or "?" */
bool opt_wants_help(const char *arg);
/** replace() - *s = a copy of v */
void opt_replace(char **s, const char *v);

/* opt_machine.c */
bool machine_finish(struct vm_options *o, Error **errp);
/* opt_accel.c: after the last option. -accel; or accel= of -machine, names separated by ':' */
bool accel_finish(struct vm_options *o, Error **errp);
bool accel_of_machine(struct vm_options *o, const char *names, Error **errp);
/* compat_net.c */
bool net_option_help(struct vm_options *o, const char *opt, const char *arg, Error **errp);
bool compat_net_create(struct vm_options *o, Error **errp);
/* backends.c: print help for "TYPE,help" of a union type; true when it was asked for */
bool union_help(struct vm_options *o, const struct qapi_type *t, const char *arg, const char *heading, bool (*built)(int branch));
/**
 * netdev_from_tree() - fill in a Netdev from options of -netdev, -nic, -net; @need_id: false: id may be missing
 * (NULL then)
 */
struct Netdev *netdev_from_tree(struct jval *tree, enum qapi_mode mode, bool need_id, Error **errp);

#endif
