/* SPDX-License-Identifier: BSD-2-Clause */
/* core/reset.h - things outside the device tree that take part in a machine reset, in order of registration */
#ifndef CORE_RESET_H
#define CORE_RESET_H

typedef void reset_fn(void *opaque);

void reset_register(reset_fn *fn, void *opaque);
void reset_unregister(reset_fn *fn, void *opaque);
/** reset_run() - devices first (device_reset_all), then the registered functions (the board loads firmware or kernel, CPUs restart) */
void reset_run(void);

#endif
