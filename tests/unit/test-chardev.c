/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-chardev.c - byte streams: spellings, back pressure, reconnecting, the mux, descriptors, telnet */
#include "chardev/chardev.h"
#include "chardev/mux.h"
#include "core/channel.h"
#include "core/loop.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

/* A front end that takes what it is told to and remembers it. */
struct fe {
    size_t room;
    GString *got;
    unsigned opened, closed, breaks, in, out, writable;
};

static size_t fe_can_read(void *o)
{
    return ((struct fe *)o)->room;
}

static void fe_read(void *o, const uint8_t *buf, size_t len)
{
    struct fe *f = o;

    g_assert_cmpuint(len, <=, f->room);
    g_string_append_len(f->got, (const char *)buf, (gssize)len);
    f->room -= len;
}

static void fe_event(void *o, enum chardev_event ev)
{
    struct fe *f = o;

    f->opened += ev == CHARDEV_OPENED;
    f->closed += ev == CHARDEV_CLOSED;
    f->breaks += ev == CHARDEV_BREAK;
    f->in += ev == CHARDEV_MUX_IN;
    f->out += ev == CHARDEV_MUX_OUT;
}

static void fe_writable(void *o)
{
    ((struct fe *)o)->writable++;
}

static const struct chardev_fe_ops fe_ops = { fe_can_read, fe_read, fe_event, fe_writable };

static void fe_init(struct fe *f, size_t room)
{
    *f = (struct fe){ .room = room, .got = g_string_new(NULL) };
}

static void fe_done(struct fe *f)
{
    g_string_free(f->got, TRUE);
}

static void run(void)
{
    for (unsigned idle = 0; idle < 3; ) {
        idle = loop_iterate(false) ? 0 : idle + 1;
    }
}

static bool wait_for(const unsigned *n, unsigned want)
{
    gint64 end = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;

    while (*n < want && g_get_monotonic_time() < end) {
        run();
        g_usleep(1000);
    }
    return *n >= want;
}

static struct chardev *pair(const char *id, int *peer)
{
    int sv[2];
    char *spec;
    struct chardev *c;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), ==, 0);
    fcntl(sv[0], F_SETFL, O_NONBLOCK);
    spec = g_strdup_printf("fd:%d", sv[1]);
    c = chardev_new_compat(id, spec, NULL);
    g_assert_nonnull(c);
    g_free(spec);
    *peer = sv[0];
    return c;
}

static char *read_all(int fd)
{
    GString *s = g_string_new(NULL);
    char buf[65536];
    ssize_t n;

    run();
    while ((n = read(fd, buf, sizeof(buf))) > 0) {
        g_string_append_len(s, buf, n);
        run();
    }
    return g_string_free(s, FALSE);
}

static void put(int fd, const char *s)
{
    g_assert_cmpint(write(fd, s, strlen(s)), ==, (ssize_t)strlen(s));
    run();
}

static void test_specs(void)
{
    static const struct {
        const char *spec, *desc;        /* desc: description or "!error" */
    } t[] = {
        { "null", "null" },
        { "vc:80Cx24C", "null" },
        { "ringbuf", "ringbuf" },
        { "tcp:127.0.0.1:1,server=on,wait=off,reconnect=1",
          "!'reconnect' option is incompatible with socket in server listen mode" },
        { "tcp:127.0.0.1:1,wait=on", "!'wait' option is incompatible with socket in client connect mode" },
        { "tcp:127.0.0.1", "!Invalid address in 'tcp:127.0.0.1': host:port expected" },
        { "tcp:", "!Invalid address in 'tcp:': host:port expected" },
        { "udp:1", "!Invalid address in 'udp:1': udp:[host]:port[@[host]:port] expected" },
        { "unix:/nonexistent/s", "!Failed to connect to '/nonexistent/s': No such file or directory" },
        { "unix:/nonexistent/s,server=on,wait=off",
          "!Failed to bind socket to '/nonexistent/s': No such file or directory" },
        { "unix:/tmp/x,bogus=1", "!Invalid parameter 'bogus'" },
        { "file:/nonexistent/f", "!Could not open '/nonexistent/f': No such file or directory" },
        { "/nonexistent/tty", "!Could not open '/nonexistent/tty': No such file or directory" },
        { "fd:99", "!Can't set file descriptor 99 non-blocking: Bad file descriptor" },
        { "fd:x", "!Invalid file descriptor number 'x'" },
        { "chardev:zz", "!chardev 'zz' not found" },
        { "ringbuf:3000", "!size of ringbuf chardev must be power of two" },
        { "", "!'' is not a valid character device" },
        { "bogus", "!'bogus' is not a valid character device" },
    };
    Error *err = NULL;

    g_assert_null(chardev_new_compat("c", "none", &err));
    g_assert_null(err);
    for (unsigned i = 0; i < G_N_ELEMENTS(t); i++) {
        struct chardev *c;

        err = NULL;
        c = chardev_new_compat("c", t[i].spec, &err);
        if (t[i].desc[0] == '!') {
            g_assert_null(c);
            g_assert_cmpstr(error_text(err), ==, t[i].desc + 1);
            error_free(err);
            g_assert_null(chardev_find("c"));
        } else {
            char *d = chardev_describe(c);

            g_assert_cmpstr(d, ==, t[i].desc);
            g_free(d);
            g_assert_true(chardev_find("c") == c);
            chardev_free(c);
        }
    }
}

static void test_in_use(void)
{
    struct chardev *c = chardev_new("null,id=c", NULL);
    struct fe a, b;
    Error *err = NULL;

    fe_init(&a, 1);
    fe_init(&b, 1);
    g_assert_true(chardev_attach(c, &fe_ops, &a, NULL));
    g_assert_cmpuint(a.opened, ==, 1);
    g_assert_false(chardev_attach(c, &fe_ops, &b, &err));
    g_assert_cmpstr(error_text(err), ==, "chardev 'c' is already in use");
    error_free(err);
    chardev_detach(c, &a);
    g_assert_true(chardev_attach(c, &fe_ops, &b, NULL));
    chardev_free_all();
    fe_done(&a);
    fe_done(&b);
}

/* Input waits in the kernel while the front end has no room, and comes in order, also after the peer is gone. */
static void test_back_pressure_in(void)
{
    int peer;
    struct chardev *c = pair("c", &peer);
    struct fe f;

    fe_init(&f, 3);
    chardev_attach(c, &fe_ops, &f, NULL);
    put(peer, "0123456789");
    g_assert_cmpstr(f.got->str, ==, "012");
    g_assert_false(loop_iterate(false));        /* no spinning */
    f.room = 4;
    chardev_accept_input(c);
    run();
    g_assert_cmpstr(f.got->str, ==, "0123456");
    close(peer);
    run();
    g_assert_cmpuint(f.closed, ==, 1);          /* noticed although nobody reads */
    f.room = 100;
    chardev_accept_input(c);
    run();
    g_assert_cmpstr(f.got->str, ==, "0123456789");
    chardev_free_all();
    fe_done(&f);
}

/* Output is queued to a bound; the front end hears when there is room again; nothing is lost. */
static void test_back_pressure_out(void)
{
    int peer;
    struct chardev *c = pair("c", &peer);
    struct fe f;
    char block[1000], *text;
    size_t sent = 0, n;

    fe_init(&f, 0);
    chardev_attach(c, &fe_ops, &f, NULL);
    memset(block, 'x', sizeof(block));
    do {
        n = chardev_write(c, block, sizeof(block));
        sent += n;
        run();
    } while (n == sizeof(block) && sent < (64u << 20));
    g_assert_cmpuint(n, <, sizeof(block));
    g_assert_cmpuint(sent, <, 4u << 20);
    g_assert_cmpuint(chardev_queued(c), ==, 1u << 20);
    text = read_all(peer);
    g_assert_cmpuint(strlen(text), ==, sent);
    g_assert_cmpuint(f.writable, ==, 1);
    g_assert_cmpuint(chardev_queued(c), ==, 0);
    g_free(text);
    close(peer);
    run();
    g_assert_cmpuint(chardev_write(c, "abc", 3), ==, 3);    /* nobody there: taken */
    chardev_free_all();
    fe_done(&f);
}

static void test_server(void)
{
    char dir[] = "/tmp/chr-XXXXXX", *path, *spec, *text;
    struct channel_addr a = { .kind = CHANNEL_UNIX };
    struct chardev *c;
    struct fe f;
    bool pending;

    g_assert_nonnull(g_mkdtemp(dir));
    path = g_strdup_printf("%s/s", dir);
    spec = g_strdup_printf("socket,id=c,path=%s,server,nowait", path);
    c = chardev_new(spec, NULL);
    g_assert_nonnull(c);
    g_assert_false(chardev_connected(c));
    text = chardev_describe(c);
    g_assert_true(g_str_has_prefix(text, "disconnected:unix:"));
    g_free(text);
    fe_init(&f, 1000);
    chardev_attach(c, &fe_ops, &f, NULL);
    a.path = path;
    for (unsigned i = 1; i <= 50; i++) {
        int fd = channel_connect(&a, &pending, NULL), second = channel_connect(&a, &pending, NULL);

        run();
        g_assert_cmpuint(f.opened, ==, 2 * i - 1);
        put(fd, "a");
        put(second, "b");           /* waits its turn in the backlog */
        close(fd);
        run();
        g_assert_cmpuint(f.opened, ==, 2 * i);
        close(second);
        run();
        g_assert_cmpuint(f.closed, ==, 2 * i);
    }
    g_assert_cmpuint(f.got->len, ==, 100);
    chardev_free_all();
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    rmdir(dir);
    fe_done(&f);
    g_free(path);
    g_free(spec);
}

static void test_client_reconnects(void)
{
    char dir[] = "/tmp/chr-XXXXXX", *path, *spec;
    struct channel_addr a = { .kind = CHANNEL_UNIX };
    struct chardev *c;
    struct fe f;
    int srv, fd;

    g_assert_nonnull(g_mkdtemp(dir));
    a.path = path = g_strdup_printf("%s/s", dir);
    spec = g_strdup_printf("socket,id=c,path=%s,reconnect-ms=1", path);
    c = chardev_new(spec, NULL);            /* nobody listens yet: no error */
    g_assert_nonnull(c);
    fe_init(&f, 1000);
    chardev_attach(c, &fe_ops, &f, NULL);
    srv = channel_listen(&a, NULL);
    g_assert_true(wait_for(&f.opened, 1));
    fd = channel_accept(srv);
    close(fd);
    g_assert_true(wait_for(&f.closed, 1));
    g_assert_true(wait_for(&f.opened, 2));
    close(srv);
    chardev_free_all();
    unlink(path);
    rmdir(dir);
    fe_done(&f);
    g_free(path);
    g_free(spec);
}

static void test_fd_passing(void)
{
    int peer, p[2], got;
    struct chardev *c = pair("c", &peer);
    struct fe f;
    char byte = 'x', ctl[CMSG_SPACE(sizeof(int) * 32)];
    struct iovec iov = { &byte, 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
                          .msg_controllen = CMSG_SPACE(sizeof(int)) };
    struct cmsghdr *h;

    fe_init(&f, 100);
    chardev_attach(c, &fe_ops, &f, NULL);
    g_assert_cmpint(pipe(p), ==, 0);
    memset(ctl, 0, sizeof(ctl));
    h = CMSG_FIRSTHDR(&msg);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), &p[1], sizeof(int));
    g_assert_cmpint(sendmsg(peer, &msg, 0), ==, 1);
    run();
    got = chardev_recv_fd(c);
    g_assert_cmpint(got, >=, 0);
    g_assert_true(fcntl(got, F_GETFD) & FD_CLOEXEC);
    g_assert_cmpint(chardev_recv_fd(c), ==, -1);
    g_assert_cmpint(write(got, "y", 1), ==, 1);
    g_assert_cmpint(read(p[0], &byte, 1), ==, 1);
    close(got);
    /* a peer that sends many is bounded: the rest is closed */
    for (unsigned i = 0; i < 40; i++) {
        sendmsg(peer, &msg, 0);
        run();
    }
    for (got = 0; chardev_recv_fd(c) >= 0; got++) {
    }
    g_assert_cmpint(got, ==, 16);
    close(p[0]);
    close(p[1]);
    close(peer);
    chardev_free_all();
    fe_done(&f);
}

static unsigned quits;

static void quit(void)
{
    quits++;
}

static void test_mux(void)
{
    int peer;
    struct chardev *c = pair("c", &peer);
    struct fe serial, mon;
    char *text;

    chardev_make_mux(c);
    fe_init(&mon, 1000);
    fe_init(&serial, 1000);
    g_assert_true(chardev_attach_background(c, &fe_ops, &mon, NULL));
    g_assert_true(chardev_attach(c, &fe_ops, &serial, NULL));
    run();
    g_assert_cmpuint(mon.in, ==, 0);            /* the serial port has the focus */
    g_assert_cmpuint(serial.in, ==, 1);
    put(peer, "to serial");
    g_assert_cmpstr(serial.got->str, ==, "to serial");
    put(peer, "\001c" "to monitor");
    g_assert_cmpuint(serial.out, ==, 1);
    g_assert_cmpuint(mon.in, ==, 1);
    g_assert_cmpstr(mon.got->str, ==, "to monitor");
    put(peer, "\001");
    put(peer, "c\001\001\001b!");               /* cut in the middle of an escape; Ctrl-a Ctrl-a; break */
    g_assert_cmpstr(serial.got->str, ==, "to serial\001!");
    g_assert_cmpuint(serial.breaks, ==, 1);
    put(peer, "\001h");
    text = read_all(peer);
    g_assert_nonnull(strstr(text, "switch between console and monitor"));
    g_free(text);
    put(peer, "\001t");
    chardev_write(c, "line\nmore\n", 10);
    text = read_all(peer);
    g_assert_nonnull(strstr(text, "line\n["));
    g_assert_nonnull(strstr(text, "] more\n"));
    g_free(text);
    /* a front end that does not read holds up only what is for it */
    serial.room = 1;
    put(peer, "ab\001c" "z");
    g_assert_cmpstr(serial.got->str, ==, "to serial\001!a");
    g_assert_cmpstr(mon.got->str, ==, "to monitorz");
    serial.room = 10;
    chardev_accept_input(c);
    run();
    g_assert_cmpstr(serial.got->str, ==, "to serial\001!ab");
    serial.room = 0;
    quits = 0;
    chardev_mux_set_quit(quit);
    put(peer, "\001c" "stuck\001x");
    g_assert_cmpuint(quits, ==, 1);
    g_assert_false(loop_iterate(false));        /* no spinning */
    serial.room = 10;
    chardev_accept_input(c);
    run();
    g_assert_true(g_str_has_suffix(serial.got->str, "!abstuck"));
    close(peer);
    chardev_free_all();
    fe_done(&serial);
    fe_done(&mon);
}

static void test_mux_alone(void)
{
    struct chardev *c = chardev_new("null,id=c,mux=on", NULL);
    struct fe mon;

    fe_init(&mon, 10);
    g_assert_true(chardev_attach_background(c, &fe_ops, &mon, NULL));
    g_assert_cmpuint(mon.in, ==, 0);
    run();
    g_assert_cmpuint(mon.in, ==, 1);
    chardev_free_all();
    fe_done(&mon);
}

static void test_telnet(void)
{
    struct channel_addr a = { .kind = CHANNEL_INET, .host = "127.0.0.1" };
    struct chardev *c = chardev_new("socket,id=c,host=127.0.0.1,port=0,server=on,wait=off,telnet=on", NULL);
    char *desc = chardev_describe(c), *port = strrchr(desc, ':') + 1, greeting[12];
    struct fe f;
    bool pending;
    int fd;

    *strchr(port, ',') = '\0';
    a.port = port;
    fe_init(&f, 1000);
    chardev_attach(c, &fe_ops, &f, NULL);
    fd = channel_connect(&a, &pending, NULL);
    g_assert_cmpint(fd, >=, 0);
    g_assert_true(wait_for(&f.opened, 1));
    g_usleep(10000);
    g_assert_cmpint(read(fd, greeting, sizeof(greeting)), ==, 12);
    g_assert_cmpint(memcmp(greeting, "\xff\xfb\x01\xff\xfb\x03\xff\xfb\x00\xff\xfd\x00", 12), ==, 0);
    /* answers to options, a subnegotiation, CR NUL, a doubled 0xFF, a break: only data comes through */
    g_assert_cmpint(write(fd, "\xff\xfd\x01" "a\xff\xfa\x18\x00xterm\xff\xf0" "b\r\0c\xff\xff\xff\xf3" "d", 24), ==,
                    24);
    g_usleep(10000);
    run();
    g_assert_cmpuint(f.got->len, ==, 6);
    g_assert_cmpint(memcmp(f.got->str, "ab\rc\xff" "d", 6), ==, 0);
    g_assert_cmpuint(f.breaks, ==, 1);
    chardev_write(c, "x\xffy", 3);
    g_usleep(10000);
    g_assert_cmpint(read(fd, greeting, sizeof(greeting)), ==, 4);
    g_assert_cmpint(memcmp(greeting, "x\xff\xffy", 4), ==, 0);
    close(fd);
    chardev_free_all();
    fe_done(&f);
    g_free(desc);
}

static void test_file_and_log(void)
{
    char dir[] = "/tmp/chr-XXXXXX", *spec, *data, *f1, *f2;
    struct chardev *c;

    g_assert_nonnull(g_mkdtemp(dir));
    f1 = g_strdup_printf("%s/out", dir);
    f2 = g_strdup_printf("%s/log", dir);
    spec = g_strdup_printf("file,id=c,path=%s,logfile=%s", f1, f2);
    c = chardev_new(spec, NULL);
    chardev_write(c, "hello", 5);
    chardev_free_all();
    g_assert_true(g_file_get_contents(f1, &data, NULL, NULL));
    g_assert_cmpstr(data, ==, "hello");
    g_free(data);
    g_assert_true(g_file_get_contents(f2, &data, NULL, NULL));
    g_assert_cmpstr(data, ==, "hello");
    g_free(data);
    g_free(spec);
    /* a full disk does not stop the machine */
    c = chardev_new("file,id=c,path=/dev/full", NULL);
    g_assert_cmpuint(chardev_write(c, "hello", 5), ==, 5);
    chardev_free_all();
    unlink(f1);
    unlink(f2);
    rmdir(dir);
    g_free(f1);
    g_free(f2);
}

static void test_pty(void)
{
    struct chardev *c = chardev_new("pty,id=c", NULL);
    char *desc, buf[8];
    struct fe f;
    int fd;

    g_assert_nonnull(c);
    fe_init(&f, 100);
    chardev_attach(c, &fe_ops, &f, NULL);
    g_assert_false(chardev_connected(c));
    g_assert_cmpuint(chardev_write(c, "lost", 4), ==, 4);
    desc = chardev_describe(c);
    g_assert_true(g_str_has_prefix(desc, "disconnected:pty:/dev/pts/"));
    fd = open(strchr(desc, '/'), O_RDWR | O_NOCTTY | O_NONBLOCK);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(chardev_write(c, "hi", 2), ==, 2);     /* notices on the way */
    g_assert_cmpuint(f.opened, ==, 1);
    g_assert_cmpint(read(fd, buf, sizeof(buf)), ==, 2);
    g_assert_cmpint(write(fd, "yo", 2), ==, 2);
    run();
    g_assert_cmpstr(f.got->str, ==, "yo");
    close(fd);
    run();
    g_assert_cmpuint(f.closed, ==, 1);
    chardev_free_all();
    fe_done(&f);
    g_free(desc);
}

static void test_udp(void)
{
    struct chardev *a = chardev_new_compat("a", "udp:127.0.0.1:39871@127.0.0.1:39872", NULL);
    struct chardev *b = chardev_new_compat("b", "udp:127.0.0.1:39872@127.0.0.1:39871", NULL);
    struct fe f;

    if (!a || !b) {
        chardev_free_all();
        g_test_skip("the UDP ports of this test are in use");
        return;
    }
    fe_init(&f, 1000);
    chardev_attach(b, &fe_ops, &f, NULL);
    chardev_write(a, "one", 3);
    chardev_write(a, "two", 3);
    g_usleep(10000);
    run();
    g_assert_cmpstr(f.got->str, ==, "onetwo");
    chardev_free_all();
    fe_done(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    g_test_add_func("/chardev/specs", test_specs);
    g_test_add_func("/chardev/in-use", test_in_use);
    g_test_add_func("/chardev/back-pressure-in", test_back_pressure_in);
    g_test_add_func("/chardev/back-pressure-out", test_back_pressure_out);
    g_test_add_func("/chardev/server", test_server);
    g_test_add_func("/chardev/client-reconnects", test_client_reconnects);
    g_test_add_func("/chardev/fd-passing", test_fd_passing);
    g_test_add_func("/chardev/mux", test_mux);
    g_test_add_func("/chardev/mux-alone", test_mux_alone);
    g_test_add_func("/chardev/telnet", test_telnet);
    g_test_add_func("/chardev/file-and-log", test_file_and_log);
    g_test_add_func("/chardev/pty", test_pty);
    g_test_add_func("/chardev/udp", test_udp);
    return g_test_run();
}
