/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-fdname.c - descriptors by name and in sets: who owns them, which errors, which bounds */
#include "core/channel.h"
#include "core/fdname.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int null_fd(int flags)
{
    int fd = open("/dev/null", flags | O_CLOEXEC);

    g_assert_cmpint(fd, >, 2);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void expect(Error *err, const char *text)
{
    g_assert_cmpstr(error_text(err), ==, text);
    error_free(err);
}

static void test_names(void)
{
    int a = null_fd(O_RDONLY), b = null_fd(O_RDONLY), got;
    Error *err = NULL;

    g_assert_true(fdname_put("x", a, NULL));
    g_assert_true(fdname_put("x", b, NULL));            /* replaced: the first is closed */
    g_assert_false(is_open(a));
    g_assert_cmpint(fdname_take("x", NULL), ==, b);
    g_assert_true(is_open(b));
    g_assert_cmpint(fdname_take("x", &err), ==, -1);    /* a name is used once */
    expect(g_steal_pointer(&err), "File descriptor named 'x' has not been found");

    g_assert_true(fdname_put("y", b, NULL));
    g_assert_true(fdname_close("y", NULL));
    g_assert_false(is_open(b));
    g_assert_false(fdname_close("y", &err));
    expect(g_steal_pointer(&err), "File descriptor named 'y' not found");

    static const char *const bad[] = { "", "0", "9lives" };
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        a = null_fd(O_RDONLY);
        g_assert_false(fdname_put(bad[i], a, &err));
        expect(g_steal_pointer(&err), "Parameter 'fdname' expects a name not starting with a digit");
        g_assert_false(is_open(a));
    }

    a = null_fd(O_RDONLY);
    g_assert_true(fdname_put("z", a, NULL));
    g_assert_false(channel_fd_parse("z", &got, &err));  /* names are for monitor commands */
    expect(g_steal_pointer(&err), "Invalid file descriptor number 'z'");
    fdname_enter();
    fdname_enter();
    fdname_leave();
    g_assert_true(channel_fd_parse("z", &got, NULL));
    g_assert_cmpint(got, ==, a);
    g_assert_false(channel_fd_parse("z", &got, &err));
    expect(g_steal_pointer(&err), "File descriptor named 'z' has not been found");
    {
        g_autofree char *number = g_strdup_printf("%d", a);

        g_assert_true(channel_fd_parse(number, &got, NULL));
        g_assert_cmpint(got, ==, a);
    }
    g_assert_false(channel_fd_parse("-1", &got, &err));
    expect(g_steal_pointer(&err), "File descriptor named '-1' has not been found");
    fdname_leave();
    g_assert_false(fdname_active());
    close(a);
}

static void test_names_bound(void)
{
    Error *err = NULL;
    int fd;

    for (unsigned i = 0; i < FDSET_FDS_MAX; i++) {
        g_autofree char *name = g_strdup_printf("n%u", i);

        g_assert_true(fdname_put(name, null_fd(O_RDONLY), NULL));
    }
    fd = null_fd(O_RDONLY);
    g_assert_false(fdname_put("more", fd, &err));
    expect(err, "too many named descriptors (maximum is 256)");
    g_assert_false(is_open(fd));
    g_assert_true(fdname_put("n7", null_fd(O_RDONLY), NULL));
    for (unsigned i = 0; i < FDSET_FDS_MAX; i++) {
        g_autofree char *name = g_strdup_printf("n%u", i);

        g_assert_true(fdname_close(name, NULL));
    }
}

static void list(void *arg, int64_t id, int fd, const char *opaque)
{
    g_string_append_printf(arg, "%d:%d:%s ", (int)id, fd, opaque ? opaque : "-");
}

static void test_sets(void)
{
    int r = null_fd(O_RDONLY), w = null_fd(O_WRONLY), rw = null_fd(O_RDWR), lone = null_fd(O_RDONLY), fd;
    g_autoptr(GString) s = g_string_new(NULL);
    g_autofree char *want = g_strdup_printf("0:%d:a 0:%d:- 0:%d:- 7:%d:- ", r, w, rw, lone);
    int64_t id = -1, seven = 7, negative = -2;
    Error *err = NULL;

    g_assert_true(fdset_add(&seven, lone, NULL, NULL));
    g_assert_true(fdset_add(&id, r, "a", NULL));
    g_assert_cmpint(id, ==, 0);
    g_assert_true(fdset_add(&id, w, NULL, NULL));
    g_assert_true(fdset_add(&id, rw, NULL, NULL));
    fdset_foreach(list, s);
    g_assert_cmpstr(s->str, ==, want);
    fd = null_fd(O_RDONLY);
    g_assert_false(fdset_add(&negative, fd, NULL, &err));
    expect(g_steal_pointer(&err), "Parameter 'fdset-id' expects a non-negative value");
    g_assert_false(is_open(fd));

    for (unsigned i = 0; i < 3; i++) {                  /* the member whose mode fits, as a copy */
        static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };

        fd = fdset_open("/dev/fdset/0", modes[i] | O_NONBLOCK, 0);
        g_assert_cmpint(fd, >, 2);
        g_assert_cmpint(fcntl(fd, F_GETFL) & O_ACCMODE, ==, modes[i]);
        g_assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        close(fd);
    }
    g_assert_true(fdset_remove(0, w, NULL));
    fd = fdset_open("/dev/fdset/0", O_WRONLY, 0);       /* one that is open both ways will do */
    g_assert_cmpint(fcntl(fd, F_GETFL) & O_ACCMODE, ==, O_RDWR);
    close(fd);
    g_assert_cmpint(fdset_open("/dev/fdset/7", O_WRONLY, 0), ==, -1);
    g_assert_cmpint(errno, ==, EACCES);
    static const char *const nowhere[] = { "/dev/fdset/", "/dev/fdset/1", "/dev/fdset/x", "/dev/fdset/0/0", "/dev/fdset/-1" };
    for (unsigned i = 0; i < G_N_ELEMENTS(nowhere); i++) {
        g_assert_cmpint(fdset_open(nowhere[i], O_RDONLY, 0), ==, -1);
        g_assert_cmpint(errno, ==, ENOENT);
    }
    fd = fdset_open("/dev/null", O_RDONLY, 0);          /* other paths are paths */
    g_assert_cmpint(fd, >=, 0);
    close(fd);

    g_assert_false(fdset_remove(0, w, &err));
    {
        g_autofree char *text = g_strdup_printf("File descriptor named 'fdset-id:0, fd:%d' not found", w);

        expect(g_steal_pointer(&err), text);
    }
    g_assert_true(fdset_remove(0, -1, NULL));
    g_assert_false(is_open(r) || is_open(w) || is_open(rw));
    g_assert_true(is_open(lone));
    g_assert_true(fdset_remove(7, -1, NULL));
    g_assert_false(fdset_remove(7, -1, &err));
    expect(err, "File descriptor named 'fdset-id:7' not found");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fdname/names", test_names);
    g_test_add_func("/fdname/bound", test_names_bound);
    g_test_add_func("/fdname/sets", test_sets);
    return g_test_run();
}
