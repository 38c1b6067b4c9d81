/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/input/ps2.h - the two devices behind the keyboard controller */
#ifndef HW_INPUT_PS2_H
#define HW_INPUT_PS2_H

#include "hw/input/i8042.h"

void ps2_reset(struct ps2 *p, bool is_mouse);
/** ps2_write() - a byte from the controller; answers are queued */
void ps2_write(struct ps2 *p, uint8_t v);
/** ps2_put() - queue bytes, all or none */
bool ps2_put(struct ps2 *p, const uint8_t *b, unsigned n);
/** ps2_get() - next byte to the controller; false: none */
bool ps2_get(struct ps2 *p, uint8_t *v);

#endif
