/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-vde.c - the vde backend with real vde_switch processes, and with the library's point-to-point networks */
#include "core/loop.h"
#include "lib/bits.h"
#include "wire_nic.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct vde_switch {
    char *dir, *path;
    GPid pid;
    int in;
};

static bool have_switch(void)
{
    g_autofree char *p = g_find_program_in_path("vde_switch");

    if (!p) {
        g_test_skip("vde_switch (vde2)");
    }
    return p != NULL;
}

/* The socket is there before somebody listens at it. */
static bool answers(const char *ctl)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok;

    g_strlcpy(un.sun_path, ctl, sizeof(un.sun_path));
    ok = connect(fd, (void *)&un, sizeof(un)) == 0;
    close(fd);
    return ok;
}

static void switch_start(struct vde_switch *s)
{
    g_autofree char *ctl = g_build_filename(s->path, "ctl", NULL);
    const char *argv[] = { "vde_switch", "-s", s->path, NULL };

    g_assert_true(g_spawn_async_with_pipes(NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
                                           G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &s->pid, &s->in, NULL, NULL, NULL));
    WIRE_WAIT(answers(ctl));
}

static void switch_stop(struct vde_switch *s, int sig)
{
    kill(s->pid, sig);
    g_assert_cmpint(waitpid(s->pid, NULL, 0), ==, s->pid);
    close(s->in);
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) d = g_dir_open(path, 0, NULL);
    const char *name;

    while (d && (name = g_dir_read_name(d))) {
        g_autofree char *sub = g_build_filename(path, name, NULL);

        remove_tree(sub);
    }
    g_remove(path);
}

static void switch_new(struct vde_switch *s)
{
    s->dir = g_dir_make_tmp("vdeXXXXXX", NULL);
    s->path = g_build_filename(s->dir, "sw", NULL);
    switch_start(s);
}

static void switch_free(struct vde_switch *s)
{
    remove_tree(s->dir);
    g_free(s->dir);
    g_free(s->path);
}

static void both_ways(struct wire_nic *a, struct wire_nic *b)
{
    static const size_t sizes[] = { 60, 61, 1514, 1000 };

    for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++) {
        g_assert_cmpint(wire_nic_send(a, sizes[i], i + 1), ==, NET_TX_DONE);
        wire_nic_expect(b, sizes[i], i + 1);
        g_assert_cmpint(wire_nic_send(b, sizes[i], i + 100), ==, NET_TX_DONE);
        wire_nic_expect(a, sizes[i], i + 100);
    }
}

static void test_switch(void)
{
    struct vde_switch s;
    struct wire_nic a, b;
    g_autofree char *plain = NULL, *url = NULL, *want = NULL;

    if (!have_switch()) {
        return;
    }
    switch_new(&s);
    plain = g_strdup_printf("vde,sock=%s", s.path);
    url = g_strdup_printf("vde,sock=vde://%s", s.path);
    wire_nic_open_ok(&a, plain);
    want = g_strdup_printf("sock=%s,fd=", s.path);
    g_assert_true(g_str_has_prefix(a.net->info->str, want));
    wire_nic_open_ok(&b, url);
    both_ways(&a, &b);
    wire_nic_close(&b);
    wire_nic_close(&a);
    /* a port of its own, with its access rights */
    g_free(plain);
    plain = g_strdup_printf("vde,sock=%s,port=7,mode=0770", s.path);
    wire_nic_open_ok(&a, plain);
    wire_nic_open_ok(&b, url);
    both_ways(&a, &b);
    wire_nic_close(&b);
    wire_nic_close(&a);
    switch_stop(&s, SIGTERM);
    switch_free(&s);
}

/* A switch and two NICs that hear each other */
static void two_on_a_switch(struct vde_switch *s, struct wire_nic *a, struct wire_nic *b)
{
    g_autofree char *opts = NULL;

    switch_new(s);
    opts = g_strdup_printf("vde,sock=%s", s->path);
    wire_nic_open_ok(a, opts);
    wire_nic_open_ok(b, opts);
    both_ways(a, b);
}

/* The switch is killed, with a NIC that takes frames and one that does not: both see it; when it is back, both are on it again. */
static void test_switch_dies(void)
{
    struct vde_switch s;
    struct wire_nic a, b;

    if (!have_switch()) {
        return;
    }
    two_on_a_switch(&s, &a, &b);
    b.full = true;
    wire_nic_send(&a, 60, 1);
    WIRE_WAIT(nic_client(b.nic)->queue.frames);
    switch_stop(&s, SIGKILL);
    WIRE_WAIT(!a.link && !b.link);
    g_assert_nonnull(strstr(a.net->info->str, "disconnected"));
    g_assert_cmpint(wire_nic_send(&a, 60, 2), ==, NET_TX_DROP);
    remove_tree(s.path);
    switch_start(&s);
    wire_nic_unblock(&b);
    WIRE_WAIT(a.link && b.link);
    both_ways(&a, &b);
    /* gone for good while both look for it */
    switch_stop(&s, SIGKILL);
    WIRE_WAIT(!a.link && !b.link);
    wire_nic_close(&a);
    wire_nic_close(&b);
    switch_free(&s);
}

/* The switch stands still: the sender waits without trying all the time, and is woken. (The switch itself drops what b is too slow for.) */
static void test_switch_stands_still(void)
{
    struct vde_switch s;
    struct wire_nic a, b;
    g_autofree char *opts = NULL;
    unsigned wakes;
    uint32_t n = 0, busy = 0;
    int64_t start;

    if (!have_switch()) {
        return;
    }
    two_on_a_switch(&s, &a, &b);
    opts = g_strdup_printf("vde,sock=%s", s.path);
    b.numbered = true;
    b.keep_max = 0;
    b.total = 0;
    kill(s.pid, SIGSTOP);
    while (busy < 3 && n < 20000) {
        if (wire_nic_send(&a, 1514, n + 1) == NET_TX_BUSY) {
            busy++;
            loop_iterate(false);
        } else {
            n++;
        }
    }
    g_assert_cmpuint(busy, ==, 3);
    wakes = a.wakes;
    start = g_get_monotonic_time();
    while (g_get_monotonic_time() - start < 100000) {
        loop_iterate(false);
        g_usleep(100);
    }
    g_assert_cmpuint(a.wakes - wakes, <, 110);
    {
        g_autofree char *text = wire_nic_fails(opts);       /* a third port: nobody answers, and nobody waits for ever */

        g_assert_cmpstr(text, ==, "Could not open vde: Connection timed out");
    }
    kill(s.pid, SIGCONT);
    WIRE_WAIT(a.wakes > wakes);
    wire_settle(20);
    g_assert_cmpuint(b.total, >, 0);
    g_assert_cmpint(wire_nic_send(&a, 1514, n + 1), ==, NET_TX_DONE);
    WIRE_WAIT(b.last == n + 1);
    g_assert_cmpuint(wire_nic_drops(&a, "send-error") + wire_nic_drops(&a, "nobody-there"), ==, 0);
    wire_nic_close(&a);
    wire_nic_close(&b);
    switch_stop(&s, SIGTERM);
    switch_free(&s);
}

/* Without a switch: two ends of a point-to-point network, and the network that is nothing. */
static void test_urls(void)
{
    g_autofree char *dir = g_dir_make_tmp("vdeXXXXXX", NULL), *opts = g_strdup_printf("vde,sock=ptp://%s/p", dir);
    g_autofree char *slirp = NULL;
    struct wire_nic a, b;
    Error *err = NULL;

    wire_nic_open_ok(&a, opts);
    wire_nic_send(&a, 60, 1);                               /* nobody there yet: lost, nothing else */
    wire_settle(10);
    g_assert_true(a.link);
    wire_nic_open_ok(&b, opts);
    both_ways(&a, &b);
    wire_nic_close(&b);
    wire_nic_send(&a, 60, 1);
    wire_settle(10);
    wire_nic_open_ok(&b, opts);
    both_ways(&a, &b);
    wire_nic_close(&b);
    wire_nic_close(&a);
    remove_tree(dir);
    if (!wire_nic_open(&a, "vde,sock=null://", &err)) {
        g_test_message("null://: %s", error_text(err));
        error_free(err);
        return;
    }
    g_assert_cmpint(wire_nic_send(&a, 60, 1), ==, NET_TX_DONE);
    wire_settle(10);
    wire_nic_close(&a);
}

static void test_options(void)
{
    static const struct {
        const char *opts, *error;
    } cases[] = {
        { "vde,sock=/nonexistent/switch", "Could not open vde: No such file or directory" },
        { "vde,sock=vde:///nonexistent/switch", "Could not open vde: No such file or directory" },
        { "vde,port=70000", "Parameter 'port' expects uint16_t" },
        { "vde,port=-1", "Parameter 'port' expects uint16_t" },
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        g_autofree char *text = wire_nic_fails(cases[i].opts);

        g_assert_cmpstr(text, ==, cases[i].error);
    }
}

int main(int argc, char **argv)
{
#ifdef __SANITIZE_ADDRESS__
    g_print("1..0 # SKIP libvdeplug loads its modules in a way (RTLD_DEEPBIND) that AddressSanitizer does not allow\n");
    return 0;
#endif
    g_test_init(&argc, &argv, NULL);
    loop_init();
    g_test_add_func("/vde/switch", test_switch);
    g_test_add_func("/vde/switch-dies", test_switch_dies);
    g_test_add_func("/vde/switch-stands-still", test_switch_stands_still);
    g_test_add_func("/vde/urls", test_urls);
    g_test_add_func("/vde/options", test_options);
    return g_test_run();
}
