/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/mon_rig.c - see mon_rig.h; the functions of softmmu/monitor/board.h are defined here instead of there */
#include "mon_rig.h"
#include "core/channel.h"
#include "core/loop.h"
#include "core/runstate.h"
#include "mem/space.h"
#include "qapi/jval.h"
#include "softmmu/monitor/board.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct region root, ram_region;
static struct addr_space mem;

/* softmmu/monitor/board.h, in small */
struct addr_space *board_memory(void) { return &mem; }
struct addr_space *board_io(void) { return &mem; }
struct pci_bus *board_pci(void) { return NULL; }
unsigned board_cpus(void) { return 1; }
int board_thread_id(unsigned n) { return 4242; }
void board_pause(bool on) { }
void board_print_irq(GString *out) { g_string_append(out, "irq\n"); }
void board_print_pic(GString *out) { g_string_append(out, "pic\n"); }
void board_print_lapic(GString *out) { g_string_append(out, "lapic\n"); }
struct jval *board_types(void) { return jval_list(); }
void board_print_regs(unsigned n, GString *out) { g_string_append(out, "RAX\n"); }
void board_print_mem(unsigned n, GString *out) { }
void board_set_log(uint32_t mask) { }
void board_print_stats(unsigned n, GString *out) { }
void board_print_ops(unsigned n, GString *out) { }
bool board_debug_read(unsigned n, uint64_t la, void *buf, size_t len) { return space_rw(&mem, la, buf, len, false); }
unsigned board_disas(unsigned n, uint64_t ip, const uint8_t *bytes, unsigned avail, char *text, unsigned size)
{
    return 0;
}

bool board_reg(unsigned n, const char *name, uint64_t *val)
{
    *val = 0x1234;
    return !strcmp(name, "rax");
}
bool board_halted(unsigned n) { return true; }
void board_nmi(unsigned n) { }

void rig_init(void)
{
    struct ram_block *b = ram_new("ram", 65536, NULL);

    loop_init();
    region_init(&root, "root", 1 << 20);
    region_init_ram(&ram_region, "ram", b, false);
    region_add(&root, 0, &ram_region, 0);
    space_init(&mem, "memory", &root);
    for (unsigned i = 0; i < 256; i++) {
        b->host[i] = (uint8_t)i;
    }
    memcpy(b->host + 256, "Hi'\\\n\xff", 6);
}

int rig_open(char **spec)
{
    int sv[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), ==, 0);
    fcntl(sv[0], F_SETFL, O_NONBLOCK);
    *spec = g_strdup_printf("fd:%d", sv[1]);
    return sv[0];
}

int rig_connect_unix(const char *path)
{
    struct channel_addr a = { .kind = CHANNEL_UNIX, .path = path };
    bool pending;
    int fd = channel_connect(&a, &pending, NULL);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

void rig_run(void)
{
    for (unsigned idle = 0; idle < 3; ) {
        idle = loop_iterate(false) ? 0 : idle + 1;
    }
}

void rig_send(int fd, const char *text)
{
    size_t len = strlen(text), done = 0;

    while (done < len) {
        ssize_t n = write(fd, text + done, len - done);

        if (n > 0) {
            done += (size_t)n;
        } else {
            rig_run();
        }
    }
}

char *rig_read(int fd)
{
    GString *s = g_string_new(NULL);
    char buf[65536];
    ssize_t n;

    rig_run();
    while ((n = read(fd, buf, sizeof(buf))) > 0) {
        g_string_append_len(s, buf, n);
        rig_run();
    }
    return g_string_free(s, FALSE);
}

char *rig_ask(int fd, const char *text)
{
    rig_send(fd, text);
    return rig_read(fd);
}
