/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/tap_open.c - -netdev tap: one of three families of options gives the descriptors
 *
 *   fd=, fds=   made by somebody else, one for each queue
 *   helper=     made by a program that has the right to, in a bridge
 *   ifname=     made or joined here, configured by script=, left by downscript=
 *
 * vhost=on asks the host's kernel to serve a virtio NIC. This program does not do that. Who says vhost=on wants speed, and gets the user-space
 * path with a warning, also with a vhostfd= (libvirt opens one wherever the host has vhost-net); who says vhostforce=on has decided, and gets an
 * error.
 */
#include "core/channel.h"
#include "lib/bits.h"
#include "net/backends.h"
#include "net/backends/tap_int.h"
#include "net/backends/tap_script.h"
#include "qapi/qapi-types.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_IFUP   "/etc/qemu-ifup"
#define DEFAULT_IFDOWN "/etc/qemu-ifdown"
#define DEFAULT_BRIDGE "br0"

static bool fail(Error **errp, const char *text)
{
    error_setg(errp, "%s", text);
    return false;
}

/* --- the options ---------------------------------------------------------------------------------------------------- */

static bool check_families(const NetdevTap *o, Error **errp)
{
    if (!!o->fd + !!o->fds + !!o->helper + o->has_queues > 1) {
        return fail(errp, "queues=, helper=, fds= and fd= are mutual exclusive");
    }
    if ((o->fd || o->fds || o->helper) && (o->ifname || o->script || o->downscript || o->has_vnet_hdr)) {
        return fail(errp, "ifname=, script=, downscript=, vnet_hdr= are invalid with fd=/fds=/helper=");
    }
    if (o->has_queues && !o->queues) {
        return fail(errp, "queues must be greater than zero");
    }
    if (o->queues > TAP_QUEUES_MAX) {
        error_setg(errp, "%u queues, a tap has at most %d", o->queues, TAP_QUEUES_MAX);
        return false;
    }
    if (o->ifname && strlen(o->ifname) >= IFNAMSIZ) {
        error_setg(errp, "interface name '%s' is longer than %d characters", o->ifname, IFNAMSIZ - 1);
        return false;
    }
    return true;
}

static unsigned list_len(const char *s)
{
    unsigned n = 1;

    for (; *s; s++) {
        n += *s == ':';
    }
    return n;
}

/* Whoever hands them over (libvirt, by default) counts on our having them from now on. */
static bool close_vhost_fds(const char *list, Error **errp)
{
    g_auto(GStrv) names = g_strsplit(list, ":", -1);

    for (unsigned i = 0; names[i]; i++) {
        int fd;

        if (!channel_fd_parse(names[i], &fd, errp)) {
            return false;
        }
        close(fd);
    }
    return true;
}

static bool check_vhost(const struct net_client *c, const NetdevTap *o, unsigned queues, Error **errp)
{
    bool force = o->has_vhostforce && o->vhostforce, fds = o->vhostfd || o->vhostfds, there = access("/dev/vhost-net", F_OK) == 0;
    bool on = o->has_vhost ? o->vhost : force || fds;

    if (!on) {
        return !fds || fail(errp, "vhostfd(s)= is not valid without vhost");
    }
    if (o->vhostfds && list_len(o->vhostfds) != queues) {
        error_setg(errp, "expected %u socket fds, got %u", queues, list_len(o->vhostfds));
        return false;
    }
    if (force && !there && !fds) {
        error_setg_errno(errp, errno, "Could not open '/dev/vhost-net'");
        return false;
    }
    if (force) {
        error_setg(errp, "vhost-net requested but could not be initialized");
        error_hint(errp, "vhost-net is not built into this program: leave out vhostforce=\n");
        return false;
    }
    if (fds && !close_vhost_fds(o->vhostfd ? o->vhostfd : o->vhostfds, errp)) {
        return false;
    }
    if (there || fds) {
        warn_report("netdev '%s': vhost-net is not built into this program, going on in user space", c->name);
    } else {
        warn_report("netdev '%s': Could not open '/dev/vhost-net': No such file or directory, going on in user space", c->name);
    }
    return true;
}

/* --- the families --------------------------------------------------------------------------------------------------- */

static bool from_fds(struct tap *t, const char *list, bool one, Error **errp)
{
    g_auto(GStrv) names = g_strsplit(list, ":", one ? 1 : -1);
    unsigned n = g_strv_length(names);

    if (!n) {
        return fail(errp, "no fds passed");
    }
    if (n > TAP_QUEUES_MAX) {
        error_setg(errp, "%u descriptors, a tap has at most %d queues", n, TAP_QUEUES_MAX);
        return false;
    }
    tap_init(t, n);
    for (unsigned i = 0; i < n; i++) {
        struct tap_info info;
        int fd;

        if (!channel_fd_parse(names[i], &fd, errp)) {
            return false;
        }
        t->q[i].fd = fd;
        if (!channel_nonblock(fd)) {
            error_setg_errno(errp, errno, "Can't set file descriptor %s non-blocking", names[i]);
            return false;
        }
        if (!tap_linux_inspect(fd, &info, errp)) {
            return false;
        }
        if (i && info.vnet_hdr != t->info.vnet_hdr) {
            return fail(errp, "vnet_hdr not consistent across given tap fds");
        }
        t->info = info;
    }
    net_client_set_info(&t->c, one ? "fd=%s" : "fds=%s", list);
    return true;
}

static bool from_helper(struct tap *t, const char *helper, const char *br, Error **errp)
{
    tap_init(t, 1);
    t->q[0].fd = tap_helper_run(helper, br, errp);
    if (t->q[0].fd < 0) {
        return false;
    }
    if (!channel_nonblock(t->q[0].fd)) {
        error_setg_errno(errp, errno, "bridge helper");
        return false;
    }
    return tap_linux_inspect(t->q[0].fd, &t->info, errp);
}

/* "no" and "" mean none */
static const char *script_of(const char *given, const char *otherwise)
{
    const char *s = given ? given : otherwise;

    return *s && strcmp(s, "no") ? s : NULL;
}

static bool from_name(struct tap *t, const NetdevTap *o, Error **errp)
{
    const char *up = script_of(o->script, DEFAULT_IFUP), *down = script_of(o->downscript, DEFAULT_IFDOWN);
    unsigned n = o->has_queues ? o->queues : 1;
    char name[IFNAMSIZ] = "";

    tap_init(t, n);
    t->vnet = !o->has_vnet_hdr ? TAP_VNET_TRY : o->vnet_hdr ? TAP_VNET_ON : TAP_VNET_OFF;
    g_strlcpy(name, o->ifname ? o->ifname : "", sizeof(name));
    for (unsigned i = 0; i < n; i++) {
        t->q[i].fd = tap_linux_open(name, n > 1, t->vnet, &t->info, errp);
        if (t->q[i].fd < 0) {
            return false;
        }
    }
    net_client_set_info(&t->c, "ifname=%s,script=%s,downscript=%s", name, up ? up : "no", down ? down : "no");
    if (up && !tap_script_run(up, name, errp)) {
        return false;
    }
    t->downscript = g_strdup(down);
    t->reopen = o->ifname ? g_strdup(name) : NULL;
    return true;
}

static bool tap_open(struct net_client *c, const void *arg, Error **errp)
{
    struct tap *t = container_of(c, struct tap, c);
    const NetdevTap *o = arg;

    if (!check_families(o, errp) || !check_vhost(c, o, o->fds ? list_len(o->fds) : o->has_queues ? o->queues : 1, errp)) {
        return false;
    }
    t->sndbuf = o->has_sndbuf ? o->sndbuf : 0;
    if (o->fd || o->fds) {
        return from_fds(t, o->fd ? o->fd : o->fds, o->fd != NULL, errp) && tap_start(t, errp);
    }
    if (o->helper) {
        net_client_set_info(c, "helper=%s", o->helper);
        return from_helper(t, o->helper, o->br ? o->br : DEFAULT_BRIDGE, errp) && tap_start(t, errp);
    }
    return from_name(t, o, errp) && tap_start(t, errp);
}

/* The script wants the interface to be there still */
static void tap_close_named(struct net_client *c)
{
    struct tap *t = container_of(c, struct tap, c);
    Error *err = NULL;

    if (t->downscript && !tap_script_run(t->downscript, t->info.ifname, &err)) {
        warn_report("netdev '%s': %s", c->name, error_text(err));
        error_free(err);
    }
    tap_close(c);
}

const struct net_backend_ops net_backend_tap = {
    .kind = "tap", .size = sizeof(struct tap), .open = tap_open, .send = tap_send, .rx_enable = tap_rx_enable, .tx_ready = tap_tx_ready,
    .offloads = tap_offloads, .close = tap_close_named, .follows = true,
};

/* --- -netdev bridge --------------------------------------------------------------------------------------------------- */

static bool bridge_open(struct net_client *c, const void *arg, Error **errp)
{
    struct tap *t = container_of(c, struct tap, c);
    const NetdevBridge *o = arg;
    const char *br = o->br ? o->br : DEFAULT_BRIDGE;
    g_autofree char *helper = o->helper ? g_strdup(o->helper) : tap_helper_find();

    net_client_set_info(c, "helper=%s,br=%s", helper, br);
    return from_helper(t, helper, br, errp) && tap_start(t, errp);
}

const struct net_backend_ops net_backend_bridge = {
    .kind = "tap", .size = sizeof(struct tap), .open = bridge_open, .send = tap_send, .rx_enable = tap_rx_enable, .tx_ready = tap_tx_ready,
    .offloads = tap_offloads, .close = tap_close, .follows = true,
};
