/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/bench-hub.c - CPU time of hubs and switches for each frame that they deliver, in this process
 *
 *     bench-hub [hub|switch] [--frames N]
 *
 * Every station sends in turn, all others receive. "nic": receivers in this process that do nothing, so what is measured is ours alone.
 * "stream": each port but one is a stream backend on a UNIX socket whose other end is read by a child process: with system calls. "slow": one
 * receiver of the NIC kind takes nothing. A line a figure: NAME ports=N size=B us=U [kib_per_port=K].
 */
#include "core/loop.h"
#include "lib/bytes.h"
#include "net/nic.h"
#include "qapi/qapi-types.h"
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

struct station {
    struct nic *nic;
    struct nic_conf conf;
    uint64_t got, tx_ready;
    uint32_t caps;
    bool full;
};

enum { MAX_PORTS = 64, BIG = 65226 };

static struct station st[MAX_PORTS];
static struct net_client *stream[MAX_PORTS];
static uint8_t frame[FRAME_MAX];

static enum net_tx receive(void *opaque, const struct frame *f)
{
    struct station *s = opaque;

    if (s->full) {
        return NET_TX_BUSY;
    }
    s->got++;
    return NET_TX_DONE;
}

static void link_changed(void *opaque, bool up)
{
}

static void tx_ready(void *opaque)
{
    ((struct station *)opaque)->tx_ready++;
}

static uint32_t offloads(void *opaque)
{
    return ((struct station *)opaque)->caps;
}

static const struct nic_ops ops = { .receive = receive, .link_changed = link_changed, .tx_ready = tx_ready, .offloads = offloads, .min_len = 60 };

static double cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static long rss_kib(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long size = 0, rss = 0;

    if (f && fscanf(f, "%ld %ld", &size, &rss) != 2) {
        rss = 0;
    }
    if (f) {
        fclose(f);
    }
    return rss * (sysconf(_SC_PAGESIZE) / 1024);
}

/* A port of hub or switch 1 called pN; @netdev is plugged in, or NULL */
static struct net_client *add_port(bool hub, unsigned n, const char *netdev)
{
    char name[8];
    Netdev cfg = { .id = name, .type = hub ? NETDEV_DRIVER_HUBPORT : NETDEV_DRIVER_SWITCH };
    Error *err = NULL;

    g_snprintf(name, sizeof(name), "p%u", n);
    if (hub) {
        cfg.u.hubport = (NetdevHubport){ .hubid = 1, .netdev = (char *)(uintptr_t)netdev };
    } else {
        cfg.u.q_switch = (NetdevSwitch){ .switchid = 1, .netdev = (char *)(uintptr_t)netdev };
    }
    if (!netdev_create(&cfg, &err)) {
        g_error("%s", error_text(err));
    }
    return net_client_find(name);
}

static void add_nic(bool hub, unsigned n)
{
    st[n] = (struct station){ .conf.netdev = add_port(hub, n, NULL) };
    st[n].nic = nic_new(&ops, &st[n].conf, "m", NULL, &st[n], NULL);
}

static void remove_all(void)
{
    for (unsigned i = 0; i < MAX_PORTS; i++) {
        nic_free(g_steal_pointer(&st[i].nic));
    }
    net_cleanup();
}

static void make_frame(struct frame *f, unsigned from, size_t len)
{
    memset(frame, 0xFF, 6);                     /* to all, so that hub and switch do the same work */
    memcpy(frame + 6, "\x52\x54\0\0\0", 5);
    frame[11] = (uint8_t)from;
    st_be16(frame + 12, 0x0800);
    frame[14] = 0x45;
    st_be16(frame + 16, (uint16_t)(len - 14));
    frame[23] = 6;
    frame[46] = 0x50;
    frame_from_buf(f, frame, len);
    if (len > 9100) {
        f->meta = (struct pkt_meta){ .flags = PKT_NEEDS_CSUM, .gso = PKT_GSO_TCP4, .gso_size = 1448, .csum_start = 34, .csum_off = 16 };
    }
}

static uint64_t total_got(unsigned ports)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < ports; i++) {
        n += st[i].got;
    }
    return n;
}

static void bench_nics(bool hub, unsigned ports, size_t len, uint32_t caps, unsigned slow, unsigned long frames, const char *name)
{
    unsigned long sends = MAX(frames / ports, 200);
    long rss = rss_kib();
    double us;
    struct frame f;

    for (unsigned i = 0; i < ports; i++) {
        add_nic(hub, i);
        st[i].caps = caps;
        st[i].full = i >= ports - slow;
    }
    us = cpu_us();
    for (unsigned long n = 0; n < sends; n++) {
        unsigned from = (unsigned)(n % (ports - slow));

        make_frame(&f, from, len);
        nic_send(st[from].nic, &f);
        if (n % 64 == 63) {
            loop_iterate(false);
        }
    }
    us = cpu_us() - us;
    printf("%s %s ports=%u size=%zu us=%.3f kib_per_port=%ld\n", hub ? "hub" : "switch", name, ports, len, us / (double)total_got(ports),
           (rss_kib() - rss) / (long)ports);
    fflush(stdout);
    remove_all();
}

/* Child: read and throw away until the other ends are closed. */
static pid_t start_reader(const int *fds, unsigned n)
{
    pid_t pid = fork();
    static char buf[1 << 18];

    if (pid) {
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        GPollFD p[MAX_PORTS];

        for (unsigned i = 0; i < n; i++) {
            p[i] = (GPollFD){ .fd = fds[i], .events = G_IO_IN };
        }
        g_poll(p, n, -1);
        for (unsigned i = 0; i < n; i++) {
            if (p[i].revents && read(fds[i], buf, sizeof(buf)) <= 0) {
                _exit(0);
            }
        }
    }
}

/* Let the readers read: what waits is no more than a few frames each. Sleep is not CPU time. */
static void catch_up(unsigned ports)
{
    bool behind = true;

    while (behind) {
        while (loop_iterate(false)) {
        }
        behind = false;
        for (unsigned i = 1; i < ports; i++) {
            struct net_client *c = stream[i];

            behind |= c->queue.frames > 50 || c->blocked;
        }
        if (behind) {
            g_usleep(500);
        }
    }
}

static void bench_streams(bool hub, unsigned ports, size_t len, unsigned long frames)
{
    unsigned long sends = MAX(frames / ports / 8, 200);
    int theirs[MAX_PORTS];
    uint64_t lost = 0;
    struct frame f;
    double us;
    long rss;
    pid_t pid;

    for (unsigned i = 1; i < ports; i++) {
        int sv[2];

        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), ==, 0);
        theirs[i - 1] = sv[0];
        st[i].got = (uint64_t)sv[1];            /* its descriptor, for now */
    }
    pid = start_reader(theirs, ports - 1);
    rss = rss_kib();
    add_nic(hub, 0);
    for (unsigned i = 1; i < ports; i++) {
        g_autofree char *name = g_strdup_printf("s%u", i), *fd = g_strdup_printf("%d", (int)st[i].got);
        Netdev cfg = { .id = name, .type = NETDEV_DRIVER_STREAM,
                       .u.stream.addr = &(SocketAddress){ .type = SOCKET_ADDRESS_TYPE_FD, .u.fd = { .str = fd } } };
        Error *err = NULL;

        close(theirs[i - 1]);
        if (!netdev_create(&cfg, &err)) {
            g_error("%s", error_text(err));
        }
        stream[i] = net_client_find(name);
        add_port(hub, i, name);
    }
    us = cpu_us();
    for (unsigned long n = 0; n < sends; n++) {
        make_frame(&f, 0, len);
        nic_send(st[0].nic, &f);
        if (n % 16 == 15) {
            catch_up(ports);
        }
    }
    catch_up(ports);
    us = cpu_us() - us;
    for (unsigned i = 1; i < ports; i++) {
        lost += stream[i]->stats.drops[NET_DROP_QUEUE_FULL];
    }
    printf("%s stream ports=%u size=%zu us=%.3f kib_per_port=%ld lost=%lu\n", hub ? "hub" : "switch", ports, len,
           us / (double)(sends * (ports - 1) - lost), (rss_kib() - rss) / (long)ports, (unsigned long)lost);
    fflush(stdout);
    remove_all();
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
    static const unsigned ports[] = { 2, 3, 8, 16, 32, 64 };
    bool hub = true;
    unsigned long frames = 2000000;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "switch")) {
            hub = false;
        } else if (!strcmp(argv[i], "--frames") && i + 1 < argc) {
            frames = strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "hub")) {
            fprintf(stderr, "usage: bench-hub [hub|switch] [--frames N]\n");
            return 1;
        }
    }
    loop_init();
    for (unsigned i = 0; i < G_N_ELEMENTS(ports); i++) {
        unsigned n = ports[i];

        bench_nics(hub, n, 64, 0, 0, frames, "nic");
        bench_nics(hub, n, 1514, 0, 0, frames, "nic");
        bench_nics(hub, n, BIG, PKT_CAP_ALL, 0, frames / 4, "nic-gso");
        bench_nics(hub, n, BIG, 0, 0, frames / 200, "nic-cut");
        if (n > 2) {
            bench_nics(hub, n, 1514, 0, 1, frames, "nic-slow1");
            bench_nics(hub, n, 1514, 0, n / 2, frames, "nic-slow-half");
        }
        bench_streams(hub, n, 64, frames);
        bench_streams(hub, n, 1514, frames);
    }
    return 0;
}
