/* SPDX-License-Identifier: BSD-2-Clause */
/* cli/device_opt.h - a device from its options: -device, device_add, and what -nic makes */
#ifndef CLI_DEVICE_OPT_H
#define CLI_DEVICE_OPT_H

#include "qapi/visit.h"

struct device;

/**
 * device_create() - a device from {"driver":..., "id":..., "bus":..., property...}
 * @mode:    QAPI_KEYVAL (strings) or QAPI_JSON
 * @hotplug: the machine runs already: the bus must take it
 * Errors: "'x' is not a valid device model name", "Bus 'x' not found", "Duplicate device ID 'n'", "Property
 * 'e1000.x' not found" Return: the realized device, owned by the tree; NULL: nothing remains
 */
struct device *device_create(const struct jval *tree, enum qapi_mode mode, bool hotplug, Error **errp);
/** device_global_add() - "DRIVER.PROP=VALUE": a default for devices that are created from now on */
bool device_global_add(const char *text, Error **errp);
/** device_help() - every type that a user may create, under headings; caller frees */
char *device_help(void);
/** device_props_help() - properties of a type ("  name=<kind>  - text"); NULL and *errp: no such type */
char *device_props_help(const char *driver, Error **errp);
/** nic_models_help() - "Available NIC models for this configuration:" */
char *nic_models_help(void);
/** device_nearest() - type whose name is close to a misspelt one; NULL: none */
const char *device_nearest(const char *name);

#endif
