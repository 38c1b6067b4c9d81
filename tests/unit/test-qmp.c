/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-qmp.c - a QMP session against hostile and ordinary clients */
#include "tests/lib/mon_rig.h"
#include "chardev/chardev.h"
#include "core/loop.h"
#include "core/runstate.h"
#include "qapi/schema.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static unsigned serial;

/* A session after its greeting; negotiated if wanted. */
static int open_qmp(bool negotiate)
{
    char *spec, *id = g_strdup_printf("q%u", serial++), *text;
    int fd = rig_open(&spec);
    struct chardev *c = chardev_new_compat(id, spec, NULL);

    g_assert_nonnull(c);
    g_assert_true(monitor_new_qmp(c, false, NULL));
    text = rig_read(fd);
    g_assert_true(g_str_has_prefix(text,
            "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 3, \"minor\": 1, \"major\": 11}, \"package\": \"Patchbay "));
    g_assert_nonnull(strstr(text, "\"capabilities\": [\"oob\"]}}\r\n"));
    g_free(text);
    if (negotiate) {
        text = rig_ask(fd, "{\"execute\":\"qmp_capabilities\"}\n");
        g_assert_cmpstr(text, ==, "{\"return\": {}}\r\n");
        g_free(text);
    }
    g_free(spec);
    g_free(id);
    return fd;
}

static void close_all(int fd)
{
    close(fd);
    rig_run();
    monitor_cleanup();
    chardev_free_all();
}

#define ERR(class, desc) "{\"error\": {\"class\": \"" class "\", \"desc\": \"" desc "\"}}\r\n"

static void test_protocol(void)
{
    static const struct {
        const char *in, *out;
    } t[] = {
        { "{\"execute\":\"query-target\"}", "{\"return\": {\"arch\": \"x86_64\"}}\r\n" },
        { "{\"execute\":\"query-target\",\"id\":{\"a\":[1,\"x\"]}}",
          "{\"return\": {\"arch\": \"x86_64\"}, \"id\": {\"a\": [1, \"x\"]}}\r\n" },
        { "{'execute':'query-target','id':'libvirt-1'}",
          "{\"return\": {\"arch\": \"x86_64\"}, \"id\": \"libvirt-1\"}\r\n" },
        { "{\"execute\":\"nosuch\",\"id\":7}",
          "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command nosuch has not been found\"}, \"id\": 7}\r\n" },
        { "{\"execute\":\"qmp_capabilities\"}",
          ERR("CommandNotFound", "Capabilities negotiation is already complete, command ignored") },
        { "[]", ERR("GenericError", "QMP input must be a JSON object") },
        { "null ", ERR("GenericError", "QMP input must be a JSON object") },
        { "{}", ERR("GenericError", "QMP input lacks member 'execute'") },
        { "{\"execute\":5}", ERR("GenericError", "QMP input member 'execute' must be a string") },
        { "{\"execute\":\"stop\",\"arguments\":[]}", ERR("GenericError",
                                                         "QMP input member 'arguments' must be an object") },
        { "{\"execute\":\"stop\",\"extra\":1}", ERR("GenericError", "QMP input member 'extra' is unexpected") },
        { "{\"exec-oob\":\"query-name\"}", ERR("GenericError", "QMP input member 'exec-oob' is unexpected") },
        { "{\"execute\":\"stop\",\"arguments\":{\"x\":1}}", ERR("GenericError", "Parameter 'x' is unexpected") },
        { "{\"execute\":\"set_link\",\"arguments\":{\"name\":\"zz\"}}", ERR("GenericError",
                                                                            "Parameter 'up' is missing") },
        { "{\"execute\":\"set_link\",\"arguments\":{\"name\":\"zz\",\"up\":\"off\"}}",
          ERR("GenericError", "Invalid parameter type for 'up', expected: boolean") },
        { "{\"execute\":\"set_link\",\"arguments\":{\"name\":\"zz\",\"up\":false}}", ERR("DeviceNotFound",
                                                                                         "Device 'zz' not found") },
        { "{\"execute\":\"netdev_del\",\"arguments\":{\"id\":\"zz\"}}", ERR("DeviceNotFound",
                                                                            "Device 'zz' not found") },
        { "{\"execute\":\"netdev_add\",\"arguments\":{\"type\":\"hubport\",\"id\":\"1x\",\"hubid\":1}}",
          ERR("GenericError", "Parameter 'id' expects an identifier") },
        { "{\"execute\":\"netdev_add\",\"arguments\":{\"type\":\"hubport\",\"id\":\"h9\",\"hubid\":9}}",
          "{\"return\": {}}\r\n" },
        { "{\"execute\":\"netdev_add\",\"arguments\":{\"type\":\"hubport\",\"id\":\"h9\",\"hubid\":9}}",
          ERR("GenericError", "Duplicate ID 'h9'") },
        { "{\"execute\":\"netdev_del\",\"arguments\":{\"id\":\"h9\"}}", "{\"return\": {}}\r\n" },
        { "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"nosuch\"}}",
          ERR("GenericError", "'nosuch' is not a valid device model name") },
        { "{\"execute\":\"device_add\",\"arguments\":{}}", ERR("GenericError", "Parameter 'driver' is missing") },
        { "{\"execute\":\"device_list-properties\"}", ERR("CommandNotFound",
                                                          "The command device_list-properties has not been found") },
        { "{\"execute\":\"device-list-properties\",\"arguments\":{\"typename\":\"zz\"}}", ERR("DeviceNotFound",
                "Device 'zz' not found") },
        { "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"info status\"}}",
          "{\"return\": \"VM status: paused (prelaunch)\\r\\n\"}\r\n" },
        { "{\"execute\" \"x\"}", ERR("GenericError", "JSON parse error, missing : in object pair") },
        { "\xff", ERR("GenericError", "JSON parse error, stray character") },
        { "{\"execute\":\"query-target\"}{\"execute\":\"query-target\",\"id\":1}",
          "{\"return\": {\"arch\": \"x86_64\"}}\r\n{\"return\": {\"arch\": \"x86_64\"}, \"id\": 1}\r\n" },
    };
    int fd = open_qmp(false);
    char *text = rig_ask(fd, "{\"execute\":\"query-version\"}\n");

    g_assert_cmpstr(text, ==, ERR("CommandNotFound", "Expecting capabilities negotiation with 'qmp_capabilities'"));
    g_free(text);
    text = rig_ask(fd, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"bogus\"]}}\n");
    g_assert_cmpstr(text, ==, ERR("GenericError", "Parameter 'value' does not accept value 'bogus'"));
    g_free(text);
    g_free(rig_ask(fd, "{\"execute\":\"qmp_capabilities\"}\n"));
    for (unsigned i = 0; i < G_N_ELEMENTS(t); i++) {
        rig_send(fd, t[i].in);
        text = rig_ask(fd, "\n");
        g_assert_cmpstr(text, ==, t[i].out);
        g_free(text);
    }
    close_all(fd);
}

/* Each argument-less query is answered by what the schema says it returns. */
static void test_queries(void)
{
    int fd = open_qmp(true);
    unsigned n = 0;

    for (const struct qapi_command *c = qapi_commands; c->name; c++) {
        char *req, *text;
        struct jval *v, *ret;
        Error *err = NULL;

        if (!g_str_has_prefix(c->name, "query-")) {
            continue;
        }
        req = g_strdup_printf("{\"execute\":\"%s\"}\n", c->name);
        text = rig_ask(fd, req);
        v = jval_parse(text, &err);
        g_assert_no_error((GError *)NULL);
        g_assert_nonnull(v);
        ret = jval_get(v, "return");
        g_assert_nonnull(ret);
        if (!qapi_check(c->ret, c->ret_list, ret, &err)) {
            g_error("%s: %s", c->name, error_text(err));
        }
        jval_free(v);
        g_free(text);
        g_free(req);
        n++;
    }
    g_assert_cmpuint(n, >, 15);
    close_all(fd);
}

static void test_events(void)
{
    int fd = open_qmp(true), late = open_qmp(false);
    char *text = rig_ask(fd, "{\"execute\":\"cont\"}\n");

    g_assert_nonnull(strstr(text, "\"event\": \"RESUME\"}"));
    g_assert_nonnull(strstr(text, "{\"timestamp\": {\"seconds\": "));
    g_free(text);
    text = rig_ask(fd, "{\"execute\":\"stop\"}\n");
    g_assert_nonnull(strstr(text, "\"event\": \"STOP\"}"));
    g_assert_nonnull(strstr(text, "{\"return\": {}}"));
    g_free(text);
    text = rig_ask(fd, "{\"execute\":\"system_reset\"}\n");
    g_assert_nonnull(strstr(text,
            "\"event\": \"RESET\", \"data\": {\"guest\": false, \"reason\": \"host-qmp-system-reset\"}}"));
    g_free(text);
    text = rig_ask(fd, "{\"execute\":\"system_powerdown\"}\n");
    g_assert_nonnull(strstr(text, "\"event\": \"POWERDOWN\"}"));
    g_free(text);
    /* nothing before negotiation */
    text = rig_read(late);
    g_assert_cmpstr(text, ==, "");
    g_free(text);
    close(late);
    close_all(fd);
}

/* A rate-limited event: the first at once, the newest of the rest later, none lost in the end. */
static void test_rate_limit(void)
{
    int fd = open_qmp(true);
    char *text, *p;
    unsigned n = 0;
    gint64 end = g_get_monotonic_time() + 2 * G_USEC_PER_SEC;
    bool last = false;

    for (int i = 0; i < 50; i++) {
        struct jval *d = jval_dict();

        jval_set_str(d, "name", "n0");
        jval_set_bool(d, "up", i == 49);
        qapi_event_emit(QAPI_EVENT_NETDEV_LINK_CHANGED, d);
    }
    while (!last && g_get_monotonic_time() < end) {
        text = rig_read(fd);
        for (p = text; (p = strstr(p, "NETDEV_LINK_CHANGED")); p++) {
            n++;
        }
        last |= strstr(text, "\"up\": true") != NULL;
        g_free(text);
        g_usleep(5000);
    }
    g_assert_true(last);
    g_assert_cmpuint(n, ==, 2);
    close_all(fd);
}

static void test_oob(void)
{
    int fd = open_qmp(false);
    char *text = rig_ask(fd, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}\n");
    const char *a, *b;

    g_assert_cmpstr(text, ==, "{\"return\": {}}\r\n");
    g_free(text);
    /* sent last, answered first: the other two wait in the queue */
    text = rig_ask(fd,
            "{\"execute\":\"query-target\",\"id\":1}{\"execute\":\"query-target\",\"id\":2}{\"exec-oob\":\"query-name\",\"id\":3}");
    a = strstr(text, "\"id\": 3");
    b = strstr(text, "\"id\": 1");
    g_assert_nonnull(a);
    g_assert_nonnull(b);
    g_assert_true(a < b);
    g_free(text);
    text = rig_ask(fd, "{\"exec-oob\":\"stop\"}");
    g_assert_cmpstr(text, ==, ERR("GenericError", "The command stop does not support OOB"));
    g_free(text);
    close_all(fd);
}

/* A client that asks for megabytes and never reads costs at most the cap. */
static void test_no_reader(void)
{
    int fd = open_qmp(true);
    static const char req[] = "{\"execute\":\"query-qmp-schema\"}\n";
    char *text;
    unsigned n = 0;

    for (unsigned i = 0; i < 20000; i++) {
        ssize_t k = write(fd, req, strlen(req));

        if (k != (ssize_t)strlen(req) && k > 0) {
            break;
        }
        rig_run();
    }
    rig_run();
    /* nothing is left that would make the loop spin */
    g_assert_false(loop_iterate(false));
    text = rig_read(fd);
    for (const char *p = text; (p = strstr(p, "{\"return\": ["));  p++) {
        n++;
    }
    g_assert_cmpuint(n, >, 50);         /* and all is answered once it reads */
    g_assert_true(g_str_has_suffix(text, "\r\n"));
    g_free(text);
    close_all(fd);
}

static void test_reconnect(void)
{
    char dir[] = "/tmp/qmp-XXXXXX", *path, *spec, *text;
    struct chardev *c;

    g_assert_nonnull(g_mkdtemp(dir));
    path = g_strdup_printf("%s/s", dir);
    spec = g_strdup_printf("unix:%s,server=on,wait=off", path);
    c = chardev_new_compat("srv", spec, NULL);
    g_assert_nonnull(c);
    g_assert_true(monitor_new_qmp(c, false, NULL));
    for (unsigned i = 0; i < 20; i++) {
        int fd = rig_connect_unix(path);

        text = rig_read(fd);
        g_assert_true(g_str_has_prefix(text, "{\"QMP\""));
        g_free(text);
        /* half a request, then gone: must not leak into the next session */
        rig_send(fd, i % 2 ? "{\"execute\":\"qmp_capabilities\"}{\"execute\":" : "[[[[\"");
        rig_run();
        close(fd);
        rig_run();
    }
    monitor_cleanup();
    chardev_free_all();
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    rmdir(dir);
    g_free(path);
    g_free(spec);
}

static void test_too_many(void)
{
    for (unsigned i = 0; i <= MONITOR_MAX; i++) {
        char *id = g_strdup_printf("m%u", i);
        struct chardev *c = chardev_new_compat(id, "null", NULL);
        Error *err = NULL;

        g_assert_cmpint(monitor_new_qmp(c, false, &err), ==, i < MONITOR_MAX);
        g_assert_cmpint(err != NULL, ==, i == MONITOR_MAX);
        error_free(err);
        g_free(id);
    }
    monitor_cleanup();
    chardev_free_all();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_init();
    g_test_add_func("/qmp/protocol", test_protocol);
    g_test_add_func("/qmp/queries", test_queries);
    g_test_add_func("/qmp/events", test_events);
    g_test_add_func("/qmp/rate-limit", test_rate_limit);
    g_test_add_func("/qmp/oob", test_oob);
    g_test_add_func("/qmp/no-reader", test_no_reader);
    g_test_add_func("/qmp/reconnect", test_reconnect);
    g_test_add_func("/qmp/too-many", test_too_many);
    return g_test_run();
}
