/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chardev/mux.h - several front ends on one character device
 *
 * Input goes to the one that has the focus; Ctrl-a c gives it to the next. Output of all of them is written as it
 * comes.
 */
#ifndef CHARDEV_MUX_H
#define CHARDEV_MUX_H

#include "chardev/chardev.h"

#define CHARDEV_MUX_MAX 8

/** chardev_make_mux() - from now on @c takes up to CHARDEV_MUX_MAX front ends (mux=on, "mon:") */
void chardev_make_mux(struct chardev *c);
bool chardev_is_mux(const struct chardev *c);
/**
 * chardev_attach_background() - chardev_attach() for a front end (a monitor) that wants the focus only when nobody
 * else does:
 * on a mux it gets it in the first round of the main loop, if it is alone by then, and loses it to the next one that
 * attaches
 */
bool chardev_attach_background(struct chardev *c, const struct chardev_fe_ops *ops, void *opaque, Error **errp);
/** chardev_mux_set_quit() - what Ctrl-a x does, for every mux */
void chardev_mux_set_quit(void (*fn)(void));

#endif
