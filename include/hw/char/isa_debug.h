/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/char/isa_debug.h - two ports that test programs and firmware talk to
 *
 * "isa-debugcon": bytes written to the port (0xE9) go to a character back end; a read says that it is there.
 * "isa-debug-exit": a write of v ends the emulator with status (v << 1) | 1.
 */
#ifndef HW_CHAR_ISA_DEBUG_H
#define HW_CHAR_ISA_DEBUG_H

#include "core/device.h"

extern const struct device_type isa_debugcon_type;
extern const struct device_type isa_debug_exit_type;

#endif
