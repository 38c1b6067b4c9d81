/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * migration/devices.h - the state of devices, and of all devices, as bytes
 *
 * A device is one section a type of its chain that has a table, root first. All devices are a header and one record a
 * device, parents before children; a record names the device by its path and its type, so that two machines with
 * different command lines find out before anything is changed. Little-endian:
 *     header   "PBDEV" 0, u16 format, u32 number of records
 *     record   u8 'D', path, type (u8 length, bytes), u32 length, then length bytes of sections
 *
 * Devices are saved at rest: the machine is stopped and its bottom halves are drained (bh_drain()), so that no ring
 * work and no interrupt is half done. Before a load the virtual clock is set: timers are moments on it.
 *
 * A whole machine (RAM, CPUs, the order of events, monitor commands) is another layer above this one; it will put
 * device_save_all()'s bytes into its stream after RAM. Machine lock held throughout.
 */
#ifndef MIGRATION_DEVICES_H
#define MIGRATION_DEVICES_H

#include "core/device.h"

/** device_has_state() - a table somewhere in its chain of types */
bool device_has_state(const struct device *d);

/** device_save() - append the sections of one realized device to @out */
void device_save(struct device *d, GByteArray *out);
/**
 * device_load() - from exactly @len bytes into a realized device of the same type; it is reset first
 * Return: false: *errp names section, field and reason; the device is as it was, or it is in its reset state
 */
bool device_load(struct device *d, const uint8_t *buf, size_t len, Error **errp);

/** device_save_all() - every realized device with state */
void device_save_all(GByteArray *out);
/**
 * device_load_all() - the reverse; every device with state must be in the stream, once, and nothing else
 * All records are matched with devices before the first is loaded. Return: false: *errp, and all devices are reset.
 */
bool device_load_all(const uint8_t *buf, size_t len, Error **errp);

#endif
