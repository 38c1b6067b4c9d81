/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-hmp.c - the human monitor: what commands print, and a session as a terminal program sees it */
#include "tests/lib/mon_rig.h"
#include "chardev/chardev.h"
#include "core/runstate.h"
#include "net/client.h"
#include <string.h>
#include <unistd.h>

static void test_commands(void)
{
    static const struct {
        const char *in, *out;
    } t[] = {
        { "", "" },
        { "   ", "" },
        { "bogus", "unknown command: 'bogus'\r\n" },
        { "info bogus", "unknown command: 'info bogus'\r\n" },
        { "info status", "VM status: paused (prelaunch)\r\n" },
        { "info version", NULL },
        { "info block", "" },
        { "info uuid", "00000000-0000-0000-0000-000000000000\r\n" },
        { "set_link nosuch off", "Error: Device 'nosuch' not found\r\n" },
        { "set_link n0", "Expected 'on' or 'off'\r\nTry \"help set_link\" for more information\r\n" },
        { "set_link n0 maybe", "Expected 'on' or 'off'\r\nTry \"help set_link\" for more information\r\n" },
        { "set_link", "set_link: string expected\r\nTry \"help set_link\" for more information\r\n" },
        { "stop now", "stop: extraneous characters at the end of line\r\nTry \"help stop\" for more information\r\n" },
        { "netdev_add nosuch,id=x", "Error: Parameter 'type' does not accept value 'nosuch'\r\n" },
        { "netdev_add hubport", "Error: Parameter 'id' is missing\r\n" },
        { "netdev_add hubport,id=hp,hubid=7", "" },
        { "netdev_add hubport,id=hp,hubid=7", "Error: Duplicate ID 'hp'\r\n" },
        { "info network", "hub 7\r\n \\ hp\r\n" },
        { "netdev_del hp", "" },
        { "info network", "" },
        { "netdev_del nosuch", "Error: Device 'nosuch' not found\r\n" },
        { "netdev_del \"a b\"", "Error: Device 'a b' not found\r\n" },
        { "netdev_del \"a", "unterminated string literal\r\nTry \"help netdev_del\" for more information\r\n" },
        { "device_del nosuch", "Error: Device 'nosuch' not found\r\n" },
        { "p 1+2*3", "0x7\r\n" },
        { "p (1+2)*3", "0x9\r\n" },
        { "p/d -5", "-5\r\n" },
        { "print $rax + 1", "0x1235\r\n" },
        { "p $nosuch", "unknown register\r\nTry \"help print\" for more information\r\n" },
        { "p 1/0", "division by zero\r\nTry \"help print\" for more information\r\n" },
        { "p ((((((((((((((((((((1", "expression too complex\r\nTry \"help print\" for more information\r\n" },
        { "p 99999999999999999999", "number too large\r\nTry \"help print\" for more information\r\n" },
        { "xp/4xb 0", "0000000000000000: 0x00 0x01 0x02 0x03\r\n" },
        { "xp/2xw 4", "0000000000000004: 0x07060504 0x0b0a0908\r\n" },
        { "xp/5xw 0",
          "0000000000000000: 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c\r\n0000000000000010: 0x13121110\r\n" },
        { "xp/1xg 8", "0000000000000008: 0x0f0e0d0c0b0a0908\r\n" },
        { "x /2dh 254", "00000000000000fe: -2 26952\r\n" },
        { "xp/3ub 253", "00000000000000fd: 253 254 255\r\n" },
        { "xp/6c 256", "0000000000000100: 'H' 'i' '\\'' '\\\\' '\\n' '\\xff'\r\n" },
        { "xp/2ob 8", "0000000000000008: 0010 0011\r\n" },
        { "xp/1xw 0x20000", "0000000000020000: Cannot access memory\r\n" },
        { "xp/q 0", "invalid char in format: 'q'\r\nTry \"help xp\" for more information\r\n" },
        { "xp/99999999 0", "count too large\r\nTry \"help xp\" for more information\r\n" },
        { "i /1 0x10", "portb[0x0010] = 0x10\r\n" },
        { "cpu 5", "invalid CPU index\r\n" },
        { "info cpus", "* CPU #0: thread_id=4242 (halted)\r\n" },
        { "help set_link", "set_link name on|off -- change the link status of a network adapter\r\n" },
        { "help info network", "info network  -- show the network state\r\n" },
        { "help q", "quit|q  -- quit the emulator\r\n" },
        { "? nosuch", "unknown command: 'nosuch'\r\n" },
        { "hostfwd_add x tcp::1-:2", "unrecognized netdev id 'x'\r\n" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(t); i++) {
        char *out = monitor_hmp(t[i].in);

        if (t[i].out) {
            g_assert_cmpstr(out, ==, t[i].out);
        } else {
            g_assert_true(g_str_has_prefix(out, "11.1.3 (Patchbay "));
        }
        g_free(out);
    }
}

/* Every "info X" that "help info" lists can be run. */
static void test_help_info(void)
{
    char *help = monitor_hmp("help info"), **lines = g_strsplit(help, "\r\n", -1);
    unsigned n = 0;

    for (unsigned i = 0; lines[i] && *lines[i]; i++) {
        char *end = strchr(lines[i] + 5, ' '), *out;

        g_assert_true(g_str_has_prefix(lines[i], "info "));
        g_assert_nonnull(end);
        *end = '\0';
        out = monitor_hmp(lines[i]);
        g_assert_null(strstr(out, "unknown command"));
        g_free(out);
        n++;
    }
    g_assert_cmpuint(n, >=, 18);
    g_strfreev(lines);
    g_free(help);
}

static void test_session(void)
{
    char *spec, *text;
    int fd = rig_open(&spec);
    struct chardev *c = chardev_new_compat("h", spec, NULL);

    g_assert_true(monitor_new_hmp(c, NULL));
    text = rig_read(fd);
    g_assert_cmpstr(text, ==, "Patchbay monitor - type 'help' for more information\r\n(qemu) ");
    g_free(text);
    /* the typed command comes back in one piece, then its result, then the prompt */
    text = rig_ask(fd, "info status\n");
    g_assert_nonnull(strstr(text, "info status\033[K\r\nVM status: paused (prelaunch)\r\n(qemu) "));
    g_free(text);
    text = rig_ask(fd, "info status\r\n");
    g_assert_nonnull(strstr(text, "VM status: paused (prelaunch)\r\n(qemu) "));
    g_assert_true(g_str_has_suffix(text, "(prelaunch)\r\n(qemu) "));
    g_free(text);
    text = rig_ask(fd, "info stat\t\n");
    g_assert_nonnull(strstr(text, "VM status: "));
    g_free(text);
    text = rig_ask(fd, "info history\n");
    g_assert_nonnull(strstr(text, "0: 'info status'\r\n1: 'info status '\r\n2: 'info history'\r\n"));
    g_free(text);
    close(fd);
    rig_run();
    monitor_cleanup();
    chardev_free_all();
    g_free(spec);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_init();
    g_test_add_func("/hmp/commands", test_commands);
    g_test_add_func("/hmp/help-info", test_help_info);
    g_test_add_func("/hmp/session", test_session);
    return g_test_run();
}
