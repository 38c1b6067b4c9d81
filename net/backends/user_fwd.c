/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/user_fwd.c - hostfwd=, guestfwd=, hostfwd_add, hostfwd_remove, "info usernet"
 *
 *     hostfwd   [tcp|udp|unix]:[[hostaddr]:hostport|hostpath]-[guestaddr]:guestport
 *     guestfwd  [tcp]:server:port-DEV     DEV: a chardev as -serial takes it, chardev:ID, or cmd:COMMAND
 */
#include "chardev/chardev.h"
#include "lib/strparse.h"
#include "net/backends/user_int.h"
#include "net/backends/user_tcp.h"
#include "net/hub.h"
#include "net/info.h"
#include "net/user.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct hostfwd {
    bool udp;
    bool port_chosen;               /* by the system: hostport was 0 */
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_un un;
    } host;
    socklen_t host_len;
    struct sockaddr_in guest;
};

struct guestfwd {
    struct user *u;
    struct chardev *chr;
    bool own_chr;
    struct in_addr addr;
    int port;
};

/* --- hostfwd --------------------------------------------------------------------------------------------------- */

/* Cut the text before the first @sep off *@p; NULL: there is no @sep. Caller frees. */
static char *cut(const char **p, char sep)
{
    const char *end = strchr(*p, sep);
    char *s;

    if (!end) {
        return NULL;
    }
    s = g_strndup(*p, (gsize)(end - *p));
    *p = end + 1;
    return s;
}

static bool parse_port(const char *s, unsigned min, uint16_t *port)
{
    uint64_t v;

    if (!parse_u64(s, 65535, &v) || v < min) {
        return false;
    }
    *port = (uint16_t)v;
    return true;
}

static const char *parse_unix_host(struct hostfwd *h, const char **p)
{
    const char *dash = strrchr(*p, '-');
    g_autofree char *path = dash ? g_strndup(*p, (gsize)(dash - *p)) : NULL;
    struct stat st;

    if (!path) {
        return "Missing - separator";
    }
    if (!*path) {
        return "Missing unix socket path";
    }
    if (*path != '/') {
        return "unix socket path must be absolute";
    }
    if (strlen(path) >= sizeof(h->host.un.sun_path)) {
        return "Unix socket path is too long";
    }
    if (stat(path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
        return "file exists and it's not unix socket";
    }
    h->host.un.sun_family = AF_UNIX;
    g_strlcpy(h->host.un.sun_path, path, sizeof(h->host.un.sun_path));
    h->host_len = sizeof(h->host.un);
    *p = dash + 1;
    return NULL;
}

static const char *parse_inet_host(struct hostfwd *h, const char **p)
{
    g_autofree char *addr = cut(p, ':'), *port = NULL;
    uint16_t n;

    if (!addr) {
        return "Missing : separator";
    }
    if (*addr && !inet_aton(addr, &h->host.in.sin_addr)) {
        return "Bad host address";
    }
    port = cut(p, '-');
    if (!port) {
        return "Bad host port separator";
    }
    if (!parse_port(port, 0, &n)) {
        return "Bad host port";
    }
    h->host.in.sin_family = AF_INET;
    h->host.in.sin_port = htons(n);
    h->host_len = sizeof(h->host.in);
    h->port_chosen = n == 0;
    return NULL;
}

/* Return: NULL, or what is wrong */
static const char *parse_hostfwd(const struct user *u, const char *rule, struct hostfwd *h)
{
    const char *p = rule, *why;
    g_autofree char *proto = cut(&p, ':'), *addr = NULL;
    uint16_t n;

    *h = (struct hostfwd){ 0 };
    if (!proto) {
        return "No : separators";
    }
    h->udp = !strcmp(proto, "udp");
    if (*proto && !h->udp && strcmp(proto, "tcp") && strcmp(proto, "unix")) {
        return "Bad protocol name";
    }
    why = !strcmp(proto, "unix") ? parse_unix_host(h, &p) : parse_inet_host(h, &p);
    if (why) {
        return why;
    }
    h->guest.sin_family = AF_INET;
    h->guest.sin_addr = u->cfg.dhcp;
    addr = cut(&p, ':');
    if (!addr) {
        return "Missing guest address";
    }
    if (*addr && !inet_aton(addr, &h->guest.sin_addr)) {
        return "Bad guest address";
    }
    if (!parse_port(p, 1, &n)) {
        return "Bad guest port";
    }
    h->guest.sin_port = htons(n);
    return NULL;
}

/* TCP is the relay's where there is one, UDP the stack's. false: errno */
static bool start_forwarding(struct user *u, const struct hostfwd *h)
{
    errno = 0;
    if (u->tcp && !h->udp) {
        return user_tcp_listen(u->tcp, &h->host.sa, h->host_len, &h->guest);
    }
    return slirp_add_hostxfwd(u->slirp, &h->host.sa, h->host_len, (const struct sockaddr *)&h->guest, sizeof(h->guest),
                              h->udp ? SLIRP_HOSTFWD_UDP : 0) >= 0;
}

static bool stop_forwarding(struct user *u, const struct hostfwd *h)
{
    socklen_t len = h->host.sa.sa_family == AF_UNIX ? sizeof(h->host.un) : sizeof(h->host.in);

    if (u->tcp && !h->udp) {
        return user_tcp_unlisten(u->tcp, &h->host.sa);
    }
    return slirp_remove_hostxfwd(u->slirp, &h->host.sa, len, h->udp ? SLIRP_HOSTFWD_UDP : 0) == 0;
}

bool user_hostfwd_add(struct user *u, const char *rule, Error **errp)
{
    struct hostfwd h, *keep;
    const char *why = parse_hostfwd(u, rule, &h);
    int err;

    if (why) {
        error_setg(errp, "Invalid host forwarding rule '%s' (%s)", rule, why);
        return false;
    }
    if (h.host.sa.sa_family == AF_UNIX) {
        unlink(h.host.un.sun_path);
    }
    if (!start_forwarding(u, &h)) {
        err = errno;
        if (err) {
            error_setg_errno(errp, err, "Could not set up host forwarding rule '%s'", rule);
        } else {
            error_setg(errp, "Could not set up host forwarding rule '%s'", rule);
        }
        return false;
    }
    keep = g_new(struct hostfwd, 1);
    *keep = h;
    g_ptr_array_add(u->hostfwd, keep);
    user_poll_kick(u->poll);
    return true;
}

/* PROTO:[ADDR]:PORT or unix:PATH */
static bool parse_hostfwd_remove(const char *rule, struct hostfwd *h)
{
    const char *p = rule;
    g_autofree char *proto = cut(&p, ':'), *addr = NULL;
    uint16_t n;

    *h = (struct hostfwd){ 0 };
    if (!proto) {
        return false;
    }
    if (!strcmp(proto, "unix")) {
        h->host.un.sun_family = AF_UNIX;
        g_strlcpy(h->host.un.sun_path, p, sizeof(h->host.un.sun_path));
        return *p == '/' && strlen(p) < sizeof(h->host.un.sun_path);
    }
    h->udp = !strcmp(proto, "udp");
    if (*proto && !h->udp && strcmp(proto, "tcp")) {
        return false;
    }
    addr = cut(&p, ':');
    if (!addr || (*addr && !inet_aton(addr, &h->host.in.sin_addr)) || !parse_port(p, 0, &n)) {
        return false;
    }
    h->host.in.sin_family = AF_INET;
    h->host.in.sin_port = htons(n);
    return true;
}

bool user_same_address(const struct sockaddr *a, const struct sockaddr *b)
{
    const struct sockaddr_in *ia = (const struct sockaddr_in *)a, *ib = (const struct sockaddr_in *)b;

    if (a->sa_family != b->sa_family) {
        return false;
    }
    if (a->sa_family == AF_UNIX) {
        return !strcmp(((const struct sockaddr_un *)a)->sun_path, ((const struct sockaddr_un *)b)->sun_path);
    }
    return ia->sin_addr.s_addr == ib->sin_addr.s_addr && ia->sin_port == ib->sin_port;
}

static bool hostfwd_remove(struct user *u, const struct hostfwd *h)
{
    bool gone = false;

    for (guint i = 0; i < u->hostfwd->len; i++) {
        struct hostfwd *x = u->hostfwd->pdata[i];

        if (x->udp == h->udp && user_same_address(&x->host.sa, &h->host.sa)) {
            gone = stop_forwarding(u, x);
            if (x->host.sa.sa_family == AF_UNIX) {
                unlink(x->host.un.sun_path);
            }
            g_free(x);
            g_ptr_array_remove_index(u->hostfwd, i);
            break;
        }
    }
    if (!gone && h->host.sa.sa_family == AF_INET) {         /* a port that the system chose */
        gone = stop_forwarding(u, h);
    }
    user_poll_kick(u->poll);
    return gone;
}

/* --- guestfwd -------------------------------------------------------------------------------------------------- */

static size_t chr_can_read(void *opaque)
{
    struct guestfwd *g = opaque;

    return slirp_socket_can_recv(g->u->slirp, g->addr, g->port);
}

static void chr_read(void *opaque, const uint8_t *buf, size_t len)
{
    struct guestfwd *g = opaque;

    slirp_socket_recv(g->u->slirp, g->addr, g->port, buf, (int)len);
    user_poll_kick(g->u->poll);
}

static void chr_event(void *opaque, enum chardev_event ev)
{
}

static void chr_writable(void *opaque)
{
    struct guestfwd *g = opaque;

    user_poll_kick(g->u->poll);
}

static ssize_t guest_wrote(const void *buf, size_t len, void *opaque)
{
    struct guestfwd *g = opaque;

    return (ssize_t)chardev_write(g->chr, buf, len);
}

static const struct chardev_fe_ops chr_ops = { .can_read = chr_can_read, .read = chr_read, .event = chr_event, .writable = chr_writable };

static bool open_chardev(struct guestfwd *g, const char *dev, Error **errp)
{
    g_autofree char *label = g_strdup_printf("guestfwd.tcp.%d", g->port);

    g->own_chr = !g_str_has_prefix(dev, "chardev:");
    g->chr = g->own_chr ? chardev_new_compat(label, dev, NULL) : chardev_find(dev + strlen("chardev:"));
    if (!g->chr) {
        error_setg(errp, "Could not open guest forwarding device '%s'", label);
        return false;
    }
    if (!chardev_attach(g->chr, &chr_ops, g, errp)) {
        if (g->own_chr) {
            chardev_free(g->chr);
        }
        g->chr = NULL;
        return false;
    }
    return true;
}

static void guestfwd_free(struct guestfwd *g)
{
    if (g->chr) {
        chardev_detach(g->chr, g);
        if (g->own_chr) {
            chardev_free(g->chr);
        }
    }
    g_free(g);
}

bool user_guestfwd_add(struct user *u, const char *rule, Error **errp)
{
    const char *p = rule;
    g_autofree char *proto = cut(&p, ':'), *addr = proto ? cut(&p, ':') : NULL, *port = addr ? cut(&p, '-') : NULL;
    struct guestfwd *g = g_new0(struct guestfwd, 1);
    uint16_t n;
    int r;

    g->u = u;
    if (!port || (*proto && strcmp(proto, "tcp")) || !inet_aton(addr, &g->addr) || !parse_port(port, 1, &n) || !*p) {
        error_setg(errp, "Invalid guest forwarding rule '%s'", rule);
        g_free(g);
        return false;
    }
    g->port = n;
    if (g_str_has_prefix(p, "cmd:")) {
        r = slirp_add_exec(u->slirp, p + strlen("cmd:"), &g->addr, g->port);
    } else {
        if (!open_chardev(g, p, errp)) {
            g_free(g);
            return false;
        }
        r = slirp_add_guestfwd(u->slirp, guest_wrote, g, &g->addr, g->port);
    }
    if (r < 0) {
        error_setg(errp, "Conflicting/invalid host:port in guest forwarding rule '%s'", rule);
        guestfwd_free(g);
        return false;
    }
    g_ptr_array_add(u->guestfwd, g);
    return true;
}

bool user_is_guestfwd(const struct user *u, struct in_addr addr, uint16_t port)
{
    for (guint i = 0; i < u->guestfwd->len; i++) {
        const struct guestfwd *g = u->guestfwd->pdata[i];

        if (g->addr.s_addr == addr.s_addr && g->port == port) {
            return true;
        }
    }
    return false;
}

void user_guestfwd_resume(struct user *u)
{
    for (guint i = 0; i < u->guestfwd->len; i++) {
        struct guestfwd *g = u->guestfwd->pdata[i];

        if (g->chr) {
            chardev_accept_input(g->chr);
        }
    }
}

void user_fwd_free(struct user *u)
{
    for (guint i = 0; i < u->hostfwd->len; i++) {
        struct hostfwd *h = u->hostfwd->pdata[i];

        if (h->host.sa.sa_family == AF_UNIX) {
            unlink(h->host.un.sun_path);
        }
        g_free(h);
    }
    for (guint i = 0; i < u->guestfwd->len; i++) {
        struct guestfwd *g = u->guestfwd->pdata[i];

        slirp_remove_guestfwd(u->slirp, g->addr, g->port);
        guestfwd_free(g);
    }
    g_ptr_array_free(u->hostfwd, TRUE);
    g_ptr_array_free(u->guestfwd, TRUE);
}

/* --- monitor --------------------------------------------------------------------------------------------------- */

struct find_first {
    struct user *u;
};

static void find_user(struct net_client *c, void *opaque)
{
    struct find_first *f = opaque;

    f->u = f->u ? f->u : user_of(c);
}

static struct user *find_stack(const char *id, Error **errp)
{
    struct find_first f = { NULL };
    struct net_client *c;

    if (!id) {
        net_client_foreach(find_user, &f);
        if (!f.u) {
            error_setg(errp, "user mode network stack not in use");
        }
        return f.u;
    }
    c = net_client_find(id);
    if (!c) {
        error_setg(errp, "unrecognized netdev id '%s'", id);
        return NULL;
    }
    if (!user_of(c)) {
        error_setg(errp, "invalid device specified");
    }
    return user_of(c);
}

bool net_hostfwd_add(const char *id, const char *rule, Error **errp)
{
    struct user *u = find_stack(id, errp);

    return u && user_hostfwd_add(u, rule, errp);
}

bool net_hostfwd_remove(const char *id, const char *rule, char **result, Error **errp)
{
    struct user *u = find_stack(id, errp);
    struct hostfwd h;

    if (!u) {
        return false;
    }
    if (!parse_hostfwd_remove(rule, &h)) {
        error_setg(errp, "invalid format");
        return false;
    }
    *result = g_strdup_printf("host forwarding rule for %s %s", rule, hostfwd_remove(u, &h) ? "removed" : "not found");
    return true;
}

/*
 * The library prints a unix socket's path bytes as if they were an IP address. Rows whose descriptor is a unix socket get the path instead:
 *   UNIX[HOST_FORWARD]  12                   /tmp/sock       10.0.2.15    22     0     0
 */
static void print_row(GString *out, const char *row)
{
    struct sockaddr_un un = { 0 };
    socklen_t len = sizeof(un);
    char dest[32];
    unsigned port, recvq, sendq, src_port;
    char src[32];
    int fd;

    if (sscanf(row, " TCP[HOST_FORWARD] %d %31s %u %31s %u %u %u", &fd, src, &src_port, dest, &port, &recvq, &sendq) == 7 &&
        getsockname(fd, (struct sockaddr *)&un, &len) == 0 && un.sun_family == AF_UNIX) {
        g_string_append_printf(out, "  UNIX[HOST_FORWARD] %3d %21.*s %15s %5u %5u %5u\n", fd, (int)sizeof(un.sun_path), un.sun_path, dest, port,
                               recvq, sendq);
    } else {
        g_string_append_printf(out, "%s\n", row);
    }
}

static void print_stack(struct net_client *c, void *opaque)
{
    GString *out = opaque;
    struct user *u = user_of(c);
    g_autofree char *text = NULL;
    g_auto(GStrv) rows = NULL;

    if (!u) {
        return;
    }
    g_string_append_printf(out, "Hub %d (%s):\n", net_hub_id_for(c), c->name);
    text = slirp_connection_info(u->slirp);
    rows = g_strsplit(text, "\n", -1);
    for (char **r = rows; *r; r++) {
        if (**r) {
            print_row(out, *r);
        }
        if (r == rows && u->tcp) {
            user_tcp_print(u->tcp, out);                    /* behind the heading */
        }
    }
}

void net_user_print_info(GString *out)
{
    net_client_foreach(print_stack, out);
}
