/* SPDX-License-Identifier: BSD-2-Clause */
/* net/backends/macvtap.c - the three rtnetlink requests, each answered at once by the kernel */
#include "net/backends/macvtap.h"
#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NAMES_MAX = 1000 };

struct request {
    struct nlmsghdr nl;
    struct ifinfomsg ifi;
    char attrs[256];                /* the requests below are shorter */
};

static struct rtattr *put(struct request *r, unsigned short type, const void *data, size_t len)
{
    struct rtattr *a = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->nl.nlmsg_len));

    a->rta_type = type;
    a->rta_len = (unsigned short)RTA_LENGTH(len);
    if (len) {
        memcpy(RTA_DATA(a), data, len);
    }
    r->nl.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->nl.nlmsg_len) + RTA_ALIGN(a->rta_len));
    return a;
}

static void end_nested(struct request *r, struct rtattr *a)
{
    a->rta_len = (unsigned short)((char *)r + r->nl.nlmsg_len - (char *)a);
}

/* 0 or the error number that the kernel answered */
static int talk(struct request *r)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err = 0;
    struct {
        struct nlmsghdr nl;
        struct nlmsgerr e;
        char rest[512];
    } answer = { 0 };
    ssize_t n = -1;

    r->nl.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    if (fd < 0 || send(fd, r, r->nl.nlmsg_len, 0) < 0 || (n = recv(fd, &answer, sizeof(answer), 0)) < 0) {
        err = errno;
    } else if ((size_t)n < sizeof(answer.nl) + sizeof(answer.e) || answer.nl.nlmsg_type != NLMSG_ERROR) {
        err = EPROTO;
    } else {
        err = -answer.e.error;
    }
    if (fd >= 0) {
        close(fd);
    }
    return err;
}

static int create(unsigned parent, uint32_t mode, const char *name)
{
    struct request r = { .nl = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)), .nlmsg_type = RTM_NEWLINK,
                                 .nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL },
                         .ifi = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP } };
    struct rtattr *info, *data;

    put(&r, IFLA_IFNAME, name, strlen(name) + 1);
    put(&r, IFLA_LINK, &parent, sizeof(parent));
    info = put(&r, IFLA_LINKINFO, NULL, 0);
    put(&r, IFLA_INFO_KIND, "macvtap", 7);
    data = put(&r, IFLA_INFO_DATA, NULL, 0);
    put(&r, IFLA_MACVLAN_MODE, &mode, sizeof(mode));
    end_nested(&r, data);
    end_nested(&r, info);
    return talk(&r);
}

static void explain(Error **errp, int err, const char *parent)
{
    switch (err) {
    case EPERM:
        error_setg(errp, "making a macvtap interface on '%s' needs CAP_NET_ADMIN", parent);
        error_hint(errp, "Run as root, or have root make one (ip link add link %s name mv0 type macvtap mode bridge) and hand its device over "
                   "with -netdev tap,fd=\n", parent);
        break;
    case EBUSY:
    case EINVAL:
        error_setg(errp, "'%s' cannot have a macvtap in this mode: it is loopback, port of a bridge or bond, or has another", parent);
        break;
    case EOPNOTSUPP:
        error_setg(errp, "this kernel has no macvtap interfaces (CONFIG_MACVTAP)");
        break;
    case ENETDOWN:
        error_setg(errp, "interface '%s' is down", parent);
        break;
    default:
        error_setg_errno(errp, err, "could not make a macvtap interface on '%s'", parent);
        break;
    }
}

unsigned macvtap_new(const char *parent, uint32_t mode, char name[IFNAMSIZ], Error **errp)
{
    unsigned index = if_nametoindex(parent);
    int err = EEXIST;

    if (!index) {
        error_setg(errp, "there is no interface '%s' on this host", parent);
        return 0;
    }
    for (unsigned i = 0; i < NAMES_MAX && err == EEXIST; i++) {
        snprintf(name, IFNAMSIZ, "pbtap%u", i);
        err = create(index, mode, name);
    }
    if (err) {
        explain(errp, err, parent);
        return 0;
    }
    index = if_nametoindex(name);
    if (!index) {
        error_setg_errno(errp, errno, "interface '%s' went away", name);
    }
    return index;
}

bool macvtap_set_mac(const char *name, const uint8_t mac[6])
{
    struct ifreq ifr = { 0 };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok;

    if (fd < 0) {
        return false;
    }
    memcpy(ifr.ifr_name, name, MIN(strlen(name), IFNAMSIZ - 1));
    ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
    ok = ioctl(fd, SIOCSIFHWADDR, &ifr) == 0;
    close(fd);
    return ok;
}

bool macvtap_del(unsigned index)
{
    struct request r = { .nl = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)), .nlmsg_type = RTM_DELLINK },
                         .ifi = { .ifi_index = (int)index } };

    errno = talk(&r);
    return errno == 0;
}
