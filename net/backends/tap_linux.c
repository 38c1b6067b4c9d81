/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/tap_linux.c - ioctls of tun and macvtap (kernel: Documentation/networking/tuntap.rst)
 *
 * A macvtap's device number is in sysfs (class/net/NAME/tapIFINDEX/dev). /sys may belong to another network namespace and /dev may hold another
 * namespace's node of the same name, so both are checked: the first against the interface's index, the second against the number. Where they do
 * not fit, sysfs is mounted for ourselves and a node is made in a directory that only we can enter, and removed once it is open.
 */
#include "net/backends/tap_linux.h"
#include "net/caps.h"
#include "net/vnet_hdr.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* --- device nodes of macvtaps ----------------------------------------------------------------------------------- */

/* A descriptor of sysfs as this network namespace sees it, -1: not allowed */
static int own_sysfs(void)
{
#if defined(SYS_fsopen) && defined(SYS_fsmount) && defined(FSCONFIG_CMD_CREATE)
    int fs = (int)syscall(SYS_fsopen, "sysfs", FSOPEN_CLOEXEC), m = -1;

    if (fs >= 0 && syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0) {
        m = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
    }
    if (fs >= 0) {
        close(fs);
    }
    return m;
#else
    return -1;
#endif
}

static bool read_text(int dir, const char *path, char *buf, size_t size)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

    if (fd >= 0) {
        close(fd);
    }
    if (n < 0) {
        return false;
    }
    buf[n] = '\0';
    return true;
}

static bool dev_in(int sysfs, const char *ifname, unsigned index, dev_t *dev)
{
    char path[128], text[32];
    unsigned major, minor, i;

    snprintf(path, sizeof(path), "class/net/%s/ifindex", ifname);
    if (!read_text(sysfs, path, text, sizeof(text)) || sscanf(text, "%u", &i) != 1 || i != index) {
        return false;
    }
    snprintf(path, sizeof(path), "class/net/%s/tap%u/dev", ifname, index);
    if (!read_text(sysfs, path, text, sizeof(text)) || sscanf(text, "%u:%u", &major, &minor) != 2) {
        return false;
    }
    *dev = makedev(major, minor);
    return true;
}

static bool node_number(const char *ifname, unsigned index, dev_t *dev)
{
    int fd = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && dev_in(fd, ifname, index, dev);

    if (fd >= 0) {
        close(fd);
    }
    if (!ok && (fd = own_sysfs()) >= 0) {
        ok = dev_in(fd, ifname, index, dev);
        close(fd);
    }
    return ok;
}

static int open_tap_file(const char *path)
{
    return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static int open_private_node(dev_t dev)
{
    g_autofree char *dir = g_dir_make_tmp("patchbay-tap-XXXXXX", NULL);
    g_autofree char *path = dir ? g_build_filename(dir, "tap", NULL) : NULL;
    int fd = -1, err;

    if (!dir) {
        return -1;
    }
    if (mknod(path, S_IFCHR | 0600, dev) == 0) {
        fd = open_tap_file(path);
    }
    err = errno;
    unlink(path);
    rmdir(dir);
    errno = err;
    return fd;
}

int tap_linux_open_node(const char *ifname, Error **errp)
{
    unsigned index = if_nametoindex(ifname);
    g_autofree char *path = g_strdup_printf("/dev/tap%u", index);
    struct stat st;
    dev_t dev;
    int fd;

    if (!index || !node_number(ifname, index, &dev)) {
        error_setg(errp, "'%s' is not a macvtap interface of this network namespace", ifname);
        return -1;
    }
    if (stat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == dev) {
        fd = open_tap_file(path);
    } else {
        fd = open_private_node(dev);
    }
    if (fd < 0) {
        error_setg_errno(errp, errno, "Could not open '%s'", path);
    }
    return fd;
}

/* --- open ------------------------------------------------------------------------------------------------------- */

static bool set_iff(int fd, struct ifreq *ifr, const char *ifname, unsigned flags)
{
    memset(ifr, 0, sizeof(*ifr));
    g_strlcpy(ifr->ifr_name, *ifname ? ifname : "tap%d", IFNAMSIZ);
    ifr->ifr_flags = (short)flags;
    return ioctl(fd, TUNSETIFF, ifr) == 0;
}

static int open_macvtap(const char *ifname, enum tap_vnet vnet, struct tap_info *info, Error **errp)
{
    unsigned flags = IFF_TAP | IFF_NO_PI | (vnet == TAP_VNET_OFF ? 0 : IFF_VNET_HDR);
    int fd = tap_linux_open_node(ifname, errp);
    struct ifreq ifr;

    if (fd < 0) {
        return -1;
    }
    if (!set_iff(fd, &ifr, ifname, flags)) {
        error_setg_errno(errp, errno, "could not configure the macvtap interface '%s'", ifname);
        close(fd);
        return -1;
    }
    *info = (struct tap_info){ .vnet_hdr = vnet != TAP_VNET_OFF, .macvtap = true };
    g_strlcpy(info->ifname, ifname, IFNAMSIZ);
    return fd;
}

int tap_linux_open(char ifname[IFNAMSIZ], bool queues, enum tap_vnet vnet, struct tap_info *info, Error **errp)
{
    unsigned flags = IFF_TAP | IFF_NO_PI | (queues ? IFF_MULTI_QUEUE : 0), features = 0;
    int fd = open_tap_file("/dev/net/tun"), err;
    struct ifreq ifr;
    dev_t dev;

    if (fd < 0) {
        error_setg_errno(errp, errno, "Could not open '/dev/net/tun'");
        return -1;
    }
    if (ioctl(fd, TUNGETFEATURES, &features) < 0) {
        features = 0;
    }
    if (vnet == TAP_VNET_ON && !(features & IFF_VNET_HDR)) {
        error_setg(errp, "vnet_hdr=1 requested, but no kernel support for IFF_VNET_HDR available");
        close(fd);
        return -1;
    }
    flags |= vnet != TAP_VNET_OFF ? features & IFF_VNET_HDR : 0;
    /* one queue of an interface that has several is fine, but the kernel wants to hear that we know */
    if (set_iff(fd, &ifr, ifname, flags) || (errno == EINVAL && *ifname && set_iff(fd, &ifr, ifname, flags | IFF_MULTI_QUEUE))) {
        g_strlcpy(ifname, ifr.ifr_name, IFNAMSIZ);
        *info = (struct tap_info){ .vnet_hdr = flags & IFF_VNET_HDR };
        g_strlcpy(info->ifname, ifname, IFNAMSIZ);
        return fd;
    }
    err = errno;
    close(fd);
    if (*ifname && node_number(ifname, if_nametoindex(ifname), &dev)) {
        g_strlcpy(info->ifname, ifname, IFNAMSIZ);
        return open_macvtap(ifname, vnet, info, errp);
    }
    if (*ifname) {
        error_setg_errno(errp, err, "could not configure /dev/net/tun (%s)", ifname);
    } else {
        error_setg_errno(errp, err, "could not configure /dev/net/tun");
    }
    if (err == EPERM || err == EACCES) {
        error_hint(errp, "Making a tap interface needs CAP_NET_ADMIN. Have root make it for you (ip tuntap add mode tap user NAME), or use "
                   "-netdev bridge or -netdev user.\n");
    }
    return -1;
}

bool tap_linux_inspect(int fd, struct tap_info *info, Error **errp)
{
    struct ifreq ifr = { 0 };
    unsigned features = 0;
    int len;

    *info = (struct tap_info){ .macvtap = ioctl(fd, TUNGETFEATURES, &features) == 0 && !(features & IFF_TUN) };
    if (ioctl(fd, TUNGETIFF, &ifr) == 0) {
        if ((ifr.ifr_flags & (IFF_TUN | IFF_TAP)) != IFF_TAP) {         /* IFF_NO_PI cannot be seen: TUNGETIFF reuses the bit */
            error_setg(errp, "descriptor %d is a tun interface, not a tap", fd);
            return false;
        }
        info->vnet_hdr = ifr.ifr_flags & IFF_VNET_HDR;
        g_strlcpy(info->ifname, ifr.ifr_name, IFNAMSIZ);
        return true;
    }
    /* some macvtaps keep their name for themselves; they have the header unless told otherwise */
    if (errno != ENOTTY && errno != EBADFD && ioctl(fd, TUNGETVNETHDRSZ, &len) == 0) {
        info->macvtap = true;
        info->vnet_hdr = true;
        return true;
    }
    error_setg_errno(errp, errno, "descriptor %d is not a tap interface", fd);
    return false;
}

/* --- configure -------------------------------------------------------------------------------------------------- */

uint32_t tap_linux_offloads(int fd)
{
    static const struct {
        unsigned ask;
        uint32_t caps;
    } steps[] = {               /* the kernel refuses the whole word when it does not know a bit: from new to old */
        { TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_UFO | TUN_F_USO4 | TUN_F_USO6,
          PKT_CAP_CSUM | PKT_CAP_TSO4 | PKT_CAP_TSO6 | PKT_CAP_ECN | PKT_CAP_UFO | PKT_CAP_USO },
        { TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_UFO,
          PKT_CAP_CSUM | PKT_CAP_TSO4 | PKT_CAP_TSO6 | PKT_CAP_ECN | PKT_CAP_UFO },
        { TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN, PKT_CAP_CSUM | PKT_CAP_TSO4 | PKT_CAP_TSO6 | PKT_CAP_ECN },
        { TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6, PKT_CAP_CSUM | PKT_CAP_TSO4 | PKT_CAP_TSO6 },
        { TUN_F_CSUM, PKT_CAP_CSUM },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (ioctl(fd, TUNSETOFFLOAD, (unsigned long)steps[i].ask) == 0) {
            return steps[i].caps;
        }
    }
    return 0;
}

bool tap_linux_set_hdr_len(int fd, int len, Error **errp)
{
    int now = 0;

#if G_BYTE_ORDER == G_BIG_ENDIAN
    int one = 1;

    if (ioctl(fd, TUNSETVNETLE, &one) < 0) {
        error_setg_errno(errp, errno, "TUNSETVNETLE ioctl failed");
        return false;
    }
#endif
    if (ioctl(fd, TUNGETVNETHDRSZ, &now) == 0 && now == len) {
        return true;
    }
    if (ioctl(fd, TUNSETVNETHDRSZ, &len) < 0) {
        error_setg_errno(errp, errno, "TUNSETVNETHDRSZ ioctl failed");
        return false;
    }
    return true;
}

bool tap_linux_set_sndbuf(int fd, uint64_t bytes, Error **errp)
{
    int v = !bytes || bytes > INT32_MAX ? INT32_MAX : (int)bytes;

    if (ioctl(fd, TUNSETSNDBUF, &v) < 0) {
        error_setg_errno(errp, errno, "TUNSETSNDBUF ioctl failed");
        return false;
    }
    return true;
}

bool tap_linux_alive(int fd)
{
    struct ifreq ifr = { 0 };

    return ioctl(fd, TUNGETIFF, &ifr) == 0 || (errno != EBADFD && errno != ENODEV && errno != ENOLINK && errno != EBADF);
}
