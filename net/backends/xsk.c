/* SPDX-License-Identifier: BSD-2-Clause */
/* net/backends/xsk.c - AF_XDP sockets, their rings, and the small BPF program in front of them; see xsk.h */
#include "net/backends/xsk.h"
#include "lib/bits.h"
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    UMEM_BYTES = 2 * XSK_FRAMES * XSK_FRAME_SIZE,
    MASK = XSK_FRAMES - 1,
    KICKS = XSK_FRAMES / 32 + 1,        /* without a driver's help the kernel sends 32 frames a call */
};
enum { BIND_TRIES = 100, BIND_PAUSE_US = 5000 };
static_assert((XSK_FRAMES & MASK) == 0, "rings are powers of two");

/* --- rings -------------------------------------------------------------------------------------------------------------- */

static bool ring_map(struct xsk_ring *r, int fd, const struct xdp_ring_offset *o, size_t entry, off_t where)
{
    size_t len = o->desc + XSK_FRAMES * entry;
    uint8_t *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, where);

    if (p == MAP_FAILED) {
        return false;
    }
    *r = (struct xsk_ring){ .producer = (uint32_t *)(p + o->producer), .consumer = (uint32_t *)(p + o->consumer),
                            .flags = (uint32_t *)(p + o->flags), .entries = p + o->desc, .map = p, .map_len = len };
    return true;
}

static void ring_unmap(struct xsk_ring *r)
{
    if (r->map) {
        munmap(r->map, r->map_len);
    }
    *r = (struct xsk_ring){ 0 };
}

static bool has_entry(const struct xsk_ring *r)         /* the kernel's rings: rx, completion */
{
    return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE) != r->pos;
}

static void fill_add(struct xsk *x, uint64_t addr)
{
    ((uint64_t *)x->fill.entries)[x->fill.pos++ & MASK] = addr;
}

static void publish(struct xsk_ring *r)
{
    __atomic_store_n(r->producer, r->pos, __ATOMIC_RELEASE);
}

static bool asleep(const struct xsk_ring *r)
{
    return __atomic_load_n(r->flags, __ATOMIC_RELAXED) & XDP_RING_NEED_WAKEUP;
}

/* --- life ----------------------------------------------------------------------------------------------------------------- */

static bool setup(struct xsk *x)
{
    struct xdp_umem_reg reg = { .addr = (uintptr_t)x->umem, .len = UMEM_BYTES, .chunk_size = XSK_FRAME_SIZE };
    static const int rings[] = { XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING, XDP_TX_RING };
    struct xdp_mmap_offsets off;
    socklen_t len = sizeof(off);
    int size = XSK_FRAMES;

    if (setsockopt(x->fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) < 0) {
        return false;
    }
    for (unsigned i = 0; i < ARRAY_LEN(rings); i++) {
        if (setsockopt(x->fd, SOL_XDP, rings[i], &size, sizeof(size)) < 0) {
            return false;
        }
    }
    if (getsockopt(x->fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &len) < 0) {
        return false;
    }
    return ring_map(&x->fill, x->fd, &off.fr, sizeof(uint64_t), XDP_UMEM_PGOFF_FILL_RING) &&
           ring_map(&x->completion, x->fd, &off.cr, sizeof(uint64_t), XDP_UMEM_PGOFF_COMPLETION_RING) &&
           ring_map(&x->rx, x->fd, &off.rx, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING) &&
           ring_map(&x->tx, x->fd, &off.tx, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING);
}

/* The kernel lets go of a closed socket's queue a moment later: who replaces a netdev by another on the same queue has to wait for that. */
static bool bind_patiently(int fd, const struct sockaddr_xdp *sxdp)
{
    for (unsigned i = 0; i < BIND_TRIES; i++) {
        if (bind(fd, (const void *)sxdp, sizeof(*sxdp)) == 0) {
            return true;
        }
        if (errno != EBUSY) {
            return false;
        }
        g_usleep(BIND_PAUSE_US);
    }
    return false;
}

bool xsk_open(struct xsk *x, int fd, const char *ifname, unsigned ifindex, unsigned queue, bool copy, Error **errp)
{
    struct sockaddr_xdp sxdp = { .sxdp_family = AF_XDP, .sxdp_flags = (uint16_t)(XDP_USE_NEED_WAKEUP | (copy ? XDP_COPY : 0)),
                                 .sxdp_ifindex = ifindex, .sxdp_queue_id = queue };

    *x = (struct xsk){ .fd = fd >= 0 ? fd : socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0) };
    if (x->fd < 0) {
        error_setg_errno(errp, errno, "cannot open an AF_XDP socket");
        return false;
    }
    x->umem = mmap(NULL, UMEM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (x->umem == MAP_FAILED) {
        x->umem = NULL;
    }
    if (!x->umem || !setup(x)) {
        error_setg_errno(errp, errno, "cannot set up an AF_XDP socket (%u KiB of locked memory)", (unsigned)(UMEM_BYTES / KiB));
        return false;
    }
    for (uint32_t i = 0; i < XSK_FRAMES; i++) {
        fill_add(x, (uint64_t)i * XSK_FRAME_SIZE);
        x->empty[i] = XSK_FRAMES + i;
    }
    publish(&x->fill);
    x->n_empty = XSK_FRAMES;
    if (!bind_patiently(x->fd, &sxdp)) {
        error_setg_errno(errp, errno, "failed to create AF_XDP socket for queue %u of '%s'", queue, ifname);
        return false;
    }
    return true;
}

void xsk_close(struct xsk *x)
{
    ring_unmap(&x->fill);
    ring_unmap(&x->completion);
    ring_unmap(&x->rx);
    ring_unmap(&x->tx);
    if (x->fd >= 0) {
        close(x->fd);
        x->fd = -1;
    }
    if (x->umem) {
        munmap(x->umem, UMEM_BYTES);
        x->umem = NULL;
    }
}

/* --- receiving ------------------------------------------------------------------------------------------------------------ */

const uint8_t *xsk_rx_peek(struct xsk *x, size_t *len)
{
    const struct xdp_desc *d;

    if (!has_entry(&x->rx)) {
        return NULL;
    }
    d = &((const struct xdp_desc *)x->rx.entries)[x->rx.pos & MASK];
    *len = d->addr < UMEM_BYTES ? MIN(d->len, UMEM_BYTES - d->addr) : 0;
    return x->umem + d->addr % UMEM_BYTES;
}

void xsk_rx_done(struct xsk *x)
{
    const struct xdp_desc *d = &((const struct xdp_desc *)x->rx.entries)[x->rx.pos++ & MASK];

    fill_add(x, d->addr & ~(uint64_t)(XSK_FRAME_SIZE - 1));
    __atomic_store_n(x->rx.consumer, x->rx.pos, __ATOMIC_RELEASE);
}

void xsk_rx_wake(struct xsk *x)
{
    publish(&x->fill);
    if (asleep(&x->fill)) {
        (void)recv(x->fd, NULL, 0, MSG_DONTWAIT);
    }
}

/* --- sending ---------------------------------------------------------------------------------------------------------------- */

static void reclaim(struct xsk *x)
{
    while (has_entry(&x->completion) && x->n_empty < XSK_FRAMES) {
        uint64_t addr = ((const uint64_t *)x->completion.entries)[x->completion.pos++ & MASK];

        x->empty[x->n_empty++] = (uint32_t)(addr / XSK_FRAME_SIZE) % (2 * XSK_FRAMES);
    }
    __atomic_store_n(x->completion.consumer, x->completion.pos, __ATOMIC_RELEASE);
}

uint8_t *xsk_tx_get(struct xsk *x)
{
    if (!x->n_empty) {
        reclaim(x);
    }
    return x->n_empty ? x->umem + (size_t)x->empty[x->n_empty - 1] * XSK_FRAME_SIZE : NULL;
}

/* There is always room in the ring: it is as long as there are frames. */
void xsk_tx_put(struct xsk *x, uint8_t *p, size_t len)
{
    ((struct xdp_desc *)x->tx.entries)[x->tx.pos++ & MASK] = (struct xdp_desc){ .addr = (uint64_t)(p - x->umem), .len = (uint32_t)len };
    x->n_empty--;
}

int xsk_tx_kick(struct xsk *x)
{
    publish(&x->tx);
    for (unsigned i = 0; i < KICKS && asleep(&x->tx) && __atomic_load_n(x->tx.consumer, __ATOMIC_ACQUIRE) != x->tx.pos; i++) {
        if (sendto(x->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN) {
            return errno == EBUSY || errno == ENOBUFS || errno == EINTR ? 0 : errno;
        }
        reclaim(x);
    }
    return 0;
}

bool xsk_tx_pending(struct xsk *x)
{
    reclaim(x);
    return x->n_empty < XSK_FRAMES;
}

/* --- the program ------------------------------------------------------------------------------------------------------------- */

static int bpf(int cmd, union bpf_attr *a)
{
    return (int)syscall(SYS_bpf, cmd, a, sizeof(*a));
}

bool xsk_map_set(int map_fd, uint32_t index, int sock_fd)
{
    uint32_t value = (uint32_t)sock_fd;
    union bpf_attr a;

    memset(&a, 0, sizeof(a));
    a.map_fd = (uint32_t)map_fd;
    a.key = (uintptr_t)&index;
    a.value = (uintptr_t)&value;
    return bpf(BPF_MAP_UPDATE_ELEM, &a) == 0;
}

int xsk_map_open(const char *path)
{
    union bpf_attr a;

    memset(&a, 0, sizeof(a));
    a.pathname = (uintptr_t)path;
    return bpf(BPF_OBJ_GET, &a);
}

static int map_new(unsigned queues)
{
    union bpf_attr a;

    memset(&a, 0, sizeof(a));
    a.map_type = BPF_MAP_TYPE_XSKMAP;
    a.key_size = a.value_size = 4;
    a.max_entries = queues;
    return bpf(BPF_MAP_CREATE, &a);
}

/* return bpf_redirect_map(map, ctx->rx_queue_index, XDP_PASS) */
static int prog_new(int map_fd)
{
    const struct bpf_insn code[] = {
        { .code = BPF_LDX | BPF_W | BPF_MEM, .dst_reg = 2, .src_reg = 1, .off = offsetof(struct xdp_md, rx_queue_index) },
        { .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map_fd },
        { 0 },
        { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = XDP_PASS },
        { .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
        { .code = BPF_JMP | BPF_EXIT },
    };
    union bpf_attr a;

    memset(&a, 0, sizeof(a));
    a.prog_type = BPF_PROG_TYPE_XDP;
    a.expected_attach_type = BPF_XDP;
    a.insns = (uintptr_t)code;
    a.insn_cnt = ARRAY_LEN(code);
    a.license = (uintptr_t)"BSD";
    memcpy(a.prog_name, "patchbay", 8);
    return bpf(BPF_PROG_LOAD, &a);
}

static int attach(int prog_fd, unsigned ifindex, uint32_t flags)
{
    union bpf_attr a;

    memset(&a, 0, sizeof(a));
    a.link_create.prog_fd = (uint32_t)prog_fd;
    a.link_create.target_ifindex = ifindex;
    a.link_create.attach_type = BPF_XDP;
    a.link_create.flags = flags;
    return bpf(BPF_LINK_CREATE, &a);
}

bool xsk_prog_attach(struct xsk_prog *p, const char *ifname, unsigned ifindex, enum xsk_mode mode, unsigned queues, Error **errp)
{
    *p = (struct xsk_prog){ -1, -1, -1 };
    p->map_fd = map_new(queues);
    if (p->map_fd >= 0) {
        p->prog_fd = prog_new(p->map_fd);
    }
    if (p->prog_fd < 0) {
        error_setg_errno(errp, errno, "cannot load an XDP program");
        return false;
    }
    if (mode != XSK_MODE_SKB) {
        p->link_fd = attach(p->prog_fd, ifindex, XDP_FLAGS_DRV_MODE);
    }
    if (p->link_fd < 0 && mode != XSK_MODE_NATIVE) {
        p->link_fd = attach(p->prog_fd, ifindex, XDP_FLAGS_SKB_MODE);
    }
    if (p->link_fd < 0) {
        error_setg_errno(errp, errno, "cannot attach an XDP program to '%s'", ifname);
        return false;
    }
    return true;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

void xsk_prog_close(struct xsk_prog *p)
{
    close_fd(&p->link_fd);
    close_fd(&p->prog_fd);
    close_fd(&p->map_fd);
}
