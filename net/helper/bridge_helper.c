/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/helper/bridge_helper.c - makes a tap on a bridge for somebody who may not, and hands it over
 *
 *   patchbay-bridge-helper [--use-vnet] --br=BRIDGE --fd=SOCKET
 *
 * Runs with CAP_NET_ADMIN: as root, set-user-ID root, or by file capabilities. The first thing it does is to become its caller with that one
 * capability and an empty environment. What the caller may have is in an access list that only the administrator writes:
 *
 *   allow BRIDGE | allow all | deny BRIDGE | deny all | include FILE | # comment
 *
 * A bridge must be allowed and not denied; the order of lines does not matter. The tap gets the bridge's MTU and a MAC address that starts with
 * fe, so that the bridge does not take it for its own. It is up when its descriptor goes through the socket, with one byte (SCM_RIGHTS).
 * Exit status 0, or 1 with a line on stderr.
 */
#include "config-host.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OWN_ACL    PATCHBAY_SYSCONFDIR "/bridge.conf"
#define COMMON_ACL "/etc/qemu/bridge.conf"

enum { INCLUDE_DEPTH = 8, LINE_BYTES = 1024 };

static bool complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static bool complain(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return false;
}

/* --- rights --------------------------------------------------------------------------------------------------------- */

/* Become the caller, keep CAP_NET_ADMIN alone. Supplementary groups are the caller's already. */
static bool drop_privileges(void)
{
    struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct cap[2] = { 0 };
    uid_t uid = getuid();
    gid_t gid = getgid();

    cap[0].effective = cap[0].permitted = 1u << CAP_NET_ADMIN;
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) {
        return complain("failed to give up privileges: %s", strerror(errno));
    }
    if (syscall(SYS_capset, &hdr, cap) < 0 && errno != EPERM) {
        return complain("failed to give up capabilities: %s", strerror(errno));
    }
    if (syscall(SYS_capget, &hdr, cap) < 0 || (cap[0].permitted & ~(1u << CAP_NET_ADMIN)) || cap[1].permitted) {
        return complain("failed to give up capabilities");
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        return complain("failed to forbid new privileges: %s", strerror(errno));
    }
    return true;
}

/* --- the access list ------------------------------------------------------------------------------------------------- */

struct verdict {
    bool allowed, denied;
};

static bool parse_acl(const char *path, const char *br, unsigned depth, struct verdict *v);

static bool acl_line(char *line, const char *br, unsigned depth, struct verdict *v)
{
    char *cmd, *arg, *end, *rest = NULL;

    line[strcspn(line, "#\r\n")] = '\0';
    cmd = strtok_r(line, " \t", &rest);
    if (!cmd) {
        return true;
    }
    arg = rest ? rest + strspn(rest, " \t") : (char *)"";
    for (end = arg + strlen(arg); end > arg && isspace((unsigned char)end[-1]); end--) {
        end[-1] = '\0';
    }
    if (!strcmp(cmd, "include")) {
        return *arg ? parse_acl(arg, br, depth + 1, v) : complain("include without a file");
    }
    if (strcmp(cmd, "allow") && strcmp(cmd, "deny")) {
        return complain("Unknown command `%.100s'", cmd);
    }
    if (strcmp(arg, "all") && strlen(arg) >= IFNAMSIZ) {
        return complain("name `%.100s' too long", arg);
    }
    if (!strcmp(arg, "all") || !strcmp(arg, br)) {
        *(*cmd == 'a' ? &v->allowed : &v->denied) = true;
    }
    return true;
}

static bool parse_acl(const char *path, const char *br, unsigned depth, struct verdict *v)
{
    char line[LINE_BYTES];
    bool ok = true;
    FILE *f;

    if (depth > INCLUDE_DEPTH) {
        return complain("more than %d levels of include", INCLUDE_DEPTH);
    }
    f = fopen(path, "re");
    if (!f) {
        return depth ? complain("failed to open `%s': %s", path, strerror(errno)) : false;
    }
    while (ok && fgets(line, sizeof(line), f)) {
        if (!strchr(line, '\n') && !feof(f)) {
            ok = complain("a line of `%s' is longer than %d bytes", path, LINE_BYTES - 2);
        }
        ok = ok && acl_line(line, br, depth, v);
    }
    fclose(f);
    return ok;
}

static bool access_granted(const char *br)
{
    const char *acl = access(OWN_ACL, F_OK) == 0 ? OWN_ACL : COMMON_ACL;
    struct verdict v = { false };

    if (!parse_acl(acl, br, 0, &v)) {
        return complain("failed to parse default acl file `%s'", acl);
    }
    return (v.allowed && !v.denied) || complain("access denied by acl file");
}

/* --- the tap ---------------------------------------------------------------------------------------------------------- */

static void name_it(struct ifreq *ifr, const char *name)
{
    memset(ifr, 0, sizeof(*ifr));
    memcpy(ifr->ifr_name, name, strnlen(name, IFNAMSIZ - 1));
}

static int open_tap(bool use_vnet, char name[IFNAMSIZ])
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    unsigned features = 0;
    struct ifreq ifr;

    if (fd < 0) {
        complain("failed to open /dev/net/tun: %s", strerror(errno));
        return -1;
    }
    name_it(&ifr, "tap%d");
    ifr.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (use_vnet && ioctl(fd, TUNGETFEATURES, &features) == 0 && features & IFF_VNET_HDR) {
        ifr.ifr_flags |= IFF_VNET_HDR;
    }
    if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
        complain("failed to create tun device: %s", strerror(errno));
        close(fd);
        return -1;
    }
    memcpy(name, ifr.ifr_name, IFNAMSIZ);
    name[IFNAMSIZ - 1] = '\0';
    return fd;
}

static bool join_bridge(int ctl, const char *br, const char *tap, int mtu)
{
    struct ifreq ifr;

    name_it(&ifr, tap);
    ifr.ifr_mtu = mtu;
    if (ioctl(ctl, SIOCSIFMTU, &ifr) < 0) {
        return complain("failed to set mtu of device `%s' to %d: %s", tap, mtu, strerror(errno));
    }
    name_it(&ifr, tap);
    if (ioctl(ctl, SIOCGIFHWADDR, &ifr) < 0) {
        return complain("failed to get mac address of device `%s': %s", tap, strerror(errno));
    }
    ifr.ifr_hwaddr.sa_data[0] = (char)0xFE;
    if (ioctl(ctl, SIOCSIFHWADDR, &ifr) < 0) {
        return complain("failed to set mac address of device `%s': %s", tap, strerror(errno));
    }
    name_it(&ifr, br);
    ifr.ifr_ifindex = (int)if_nametoindex(tap);
    if (ioctl(ctl, SIOCBRADDIF, &ifr) < 0) {
        return complain("failed to add interface `%s' to bridge `%s': %s", tap, br, strerror(errno));
    }
    name_it(&ifr, tap);
    if (ioctl(ctl, SIOCGIFFLAGS, &ifr) < 0) {
        return complain("failed to get flags of device `%s': %s", tap, strerror(errno));
    }
    ifr.ifr_flags |= IFF_UP;
    return ioctl(ctl, SIOCSIFFLAGS, &ifr) == 0 || complain("failed to set flags of device `%s': %s", tap, strerror(errno));
}

static bool send_fd(int sock, int fd)
{
    union {
        struct cmsghdr align;
        char buf[CMSG_SPACE(sizeof(int))];
    } ctl = { 0 };
    char byte = 0;
    struct iovec iov = { &byte, 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &ctl, .msg_controllen = sizeof(ctl) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(int));
    return sendmsg(sock, &msg, MSG_NOSIGNAL) == 1 || complain("failed to write fd to unix socket: %s", strerror(errno));
}

static bool run(const char *br, int sock, bool use_vnet)
{
    int ctl = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd, mtu;
    char tap[IFNAMSIZ];
    struct ifreq ifr;

    name_it(&ifr, br);
    if (ctl < 0 || ioctl(ctl, SIOCGIFMTU, &ifr) < 0) {
        return complain("failed to get mtu of bridge `%s': %s", br, strerror(errno));
    }
    mtu = ifr.ifr_mtu;
    fd = open_tap(use_vnet, tap);
    return fd >= 0 && join_bridge(ctl, br, tap, mtu) && send_fd(sock, fd);
}

/* --- arguments --------------------------------------------------------------------------------------------------------- */

/* A descriptor number of a connected UNIX socket; -1: it is none */
static int socket_of(const char *s)
{
    int domain = 0;
    socklen_t len = sizeof(domain);
    char *end;
    long v;

    errno = 0;
    v = strtol(s, &end, 10);
    if (!isdigit((unsigned char)*s) || *end || errno || v < 0 || v > 1 << 20) {
        return -1;
    }
    return getsockopt((int)v, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX ? (int)v : -1;
}

int main(int argc, char **argv)
{
    const char *br = NULL, *fd = NULL;
    bool use_vnet = false, ok = drop_privileges();

    if (clearenv()) {
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--use-vnet")) {
            use_vnet = true;
        } else if (!strncmp(argv[i], "--br=", 5)) {
            br = argv[i] + 5;
        } else if (!strncmp(argv[i], "--fd=", 5)) {
            fd = argv[i] + 5;
        } else {
            br = NULL;
            break;
        }
    }
    if (!br || !*br || !fd) {
        complain("Usage: patchbay-bridge-helper [--use-vnet] --br=bridge --fd=unixfd");
        return 1;
    }
    if (strlen(br) >= IFNAMSIZ) {
        complain("name `%.100s' too long: %zu", br, strlen(br));
        return 1;
    }
    if (socket_of(fd) < 0) {
        complain("`%.100s' is not the number of a UNIX socket", fd);
        return 1;
    }
    return ok && access_granted(br) && run(br, socket_of(fd), use_vnet) ? 0 : 1;
}
