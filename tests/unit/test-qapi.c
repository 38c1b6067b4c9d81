/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-qapi.c - options and arguments become typed structs; the error texts are those that scripts know */
#include "qapi/keyval.h"
#include "qapi/schema.h"
#include <string.h>

static const struct {
    const struct qapi_type *t;
    const char *implied, *in, *out;     /* out: the struct as JSON, or "!error" */
} cases[] = {
#define NETDEV &qapi_type_Netdev, "type"
    { NETDEV, "user,id=a", "{\"id\": \"a\", \"type\": \"user\"}" },
    { NETDEV, "{\"type\":\"user\",\"id\":\"a\"}", "{\"id\": \"a\", \"type\": \"user\"}" },
    { NETDEV, "user,id=a,hostfwd=tcp::5555-:22,hostfwd=udp::1-:2,restrict=on",
      "{\"id\": \"a\", \"type\": \"user\", \"restrict\": true, \"hostfwd\": [{\"str\": \"tcp::5555-:22\"}, {\"str\": \"udp::1-:2\"}]}" },
    { NETDEV, "{'type':'user','id':'a','hostfwd':[{'str':'x'}],'restrict':false}",
      "{\"id\": \"a\", \"type\": \"user\", \"restrict\": false, \"hostfwd\": [{\"str\": \"x\"}]}" },
    { NETDEV, "user,id=a,hostfwd.0.str=x,hostfwd.1.str=y",
      "{\"id\": \"a\", \"type\": \"user\", \"hostfwd\": [{\"str\": \"x\"}, {\"str\": \"y\"}]}" },
    { NETDEV, "user,id=a,id=b", "{\"id\": \"b\", \"type\": \"user\"}" },
    { NETDEV, "user,id=a,restrict", "{\"id\": \"a\", \"type\": \"user\", \"restrict\": true}" },
    { NETDEV, "user,id=a,norestrict", "{\"id\": \"a\", \"type\": \"user\", \"restrict\": false}" },
    { NETDEV, "user", "!Parameter 'id' is missing" },
    { NETDEV, "id=a", "!Parameter 'type' is missing" },
    { NETDEV, "bogus,id=a", "!Parameter 'type' does not accept value 'bogus'" },
    { NETDEV, "user,id=a,bogus=1", "!Invalid parameter 'bogus'" },
    { NETDEV, "{\"type\":\"user\",\"id\":\"a\",\"bogus\":1}", "!Parameter 'bogus' is unexpected" },
    { NETDEV, "user,id=a,restrict=maybe", "!Parameter 'restrict' expects 'on' or 'off'" },
    { NETDEV, "{\"type\":\"user\",\"id\":\"a\",\"restrict\":\"on\"}",
      "!Invalid parameter type for 'restrict', expected: boolean" },
    { NETDEV, "{\"type\":\"user\",\"id\":5}", "!Invalid parameter type for 'id', expected: string" },
    { NETDEV, "{\"type\":5,\"id\":\"a\"}", "!Invalid parameter type for 'type', expected: string" },
    { NETDEV, "{\"type\":\"user\",\"id\":\"a\",\"hostfwd\":\"x\"}",
      "!Invalid parameter type for 'hostfwd', expected: array" },
    { NETDEV, "{\"type\":\"user\",\"id\":\"a\",\"hostfwd\":[\"x\"]}",
      "!Invalid parameter type for 'hostfwd[0]', expected: object" },
    { NETDEV, "{\"type\":\"user\",\"id\":\"a\",\"hostfwd\":[{}]}", "!Parameter 'hostfwd[0].str' is missing" },
    { NETDEV, "user,id=a,ipv6-prefixlen=x", "!Parameter 'ipv6-prefixlen' expects an int64 value" },
    { NETDEV, "user,id=a,ipv6-prefixlen=99999999999999999999", "!Parameter 'ipv6-prefixlen' expects an int64 value" },
    { NETDEV, "{\"type\":\"user\",\"id\":\"a\",\"ipv6-prefixlen\":\"64\"}",
      "!Invalid parameter type for 'ipv6-prefixlen', expected: integer" },
    { NETDEV, "user,id=a,hostname", "!Expected '=' after parameter 'hostname'" },
    { NETDEV, "hubport,id=a", "!Parameter 'hubid' is missing" },
    { NETDEV, "hubport,id=a,hubid=-1", "!Parameter 'hubid' expects uint32_t" },
    { NETDEV, "hubport,id=a,hubid=4294967296", "!Parameter 'hubid' expects uint32_t" },
    { NETDEV, "{'type':'hubport','id':'a','hubid':4294967296}", "!Parameter 'hubid' expects uint32_t" },
    { NETDEV, "hubport,id=a,hubid=0x10", "{\"id\": \"a\", \"type\": \"hubport\", \"hubid\": 16}" },
    { NETDEV, "hubport,id=a,hubid=1,tftp=x", "!Invalid parameter 'tftp'" },
#define CHARDEV &qapi_type_ChardevOptions, "backend"
    { CHARDEV, "socket,id=c,path=/s,server,nowait",
      "{\"backend\": \"socket\", \"id\": \"c\", \"path\": \"/s\", \"server\": true, \"wait\": false}" },
    { CHARDEV, "ringbuf,id=r,size=64k", "{\"backend\": \"ringbuf\", \"id\": \"r\", \"size\": 65536}" },
    { CHARDEV, "ringbuf,id=r,size=lots", "!Parameter 'size' expects a size value" },
    { CHARDEV, "null,id=n,mux=on", "{\"backend\": \"null\", \"id\": \"n\", \"mux\": true}" },
    { CHARDEV, "socket,id=c,to=65536", "!Parameter 'to' expects uint16_t" },
};

static void test_parse(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Error *err = NULL;
        void *obj = opts_parse(cases[i].t, cases[i].in, cases[i].implied, &err);

        if (cases[i].out[0] == '!') {
            g_assert_null(obj);
            g_assert_cmpstr(error_text(err), ==, cases[i].out + 1);
            error_free(err);
        } else {
            struct jval *v;
            char *text;

            if (err) {
                g_test_message("%s: %s", cases[i].in, error_text(err));
            }
            g_assert_nonnull(obj);
            v = qapi_to_jval(cases[i].t, obj);
            text = jval_to_text(v, false);
            g_assert_cmpstr(text, ==, cases[i].out);
            g_free(text);
            jval_free(v);
            qapi_free(cases[i].t, obj);
        }
    }
}

/* What a struct gives as JSON is accepted again and gives the same. */
static void test_round_trip(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        void *obj;
        struct jval *v;
        char *text;

        if (cases[i].out[0] == '!') {
            continue;
        }
        obj = opts_parse(cases[i].t, cases[i].out, NULL, NULL);
        g_assert_nonnull(obj);
        v = qapi_to_jval(cases[i].t, obj);
        text = jval_to_text(v, false);
        g_assert_cmpstr(text, ==, cases[i].out);
        g_free(text);
        jval_free(v);
        qapi_free(cases[i].t, obj);
    }
}

static void test_home(void)
{
    ChardevOptions *o = opts_parse(&qapi_type_ChardevOptions, "socket,id=c,path=~/s", "backend", NULL);
    char *want = g_strconcat(g_get_home_dir(), "/s", NULL);

    g_assert_cmpstr(o->u.socket.path, ==, want);
    qapi_free_ChardevOptions(o);
    g_free(want);
}

static void test_suggestions(void)
{
    Error *err = NULL;

    g_assert_null(opts_parse(&qapi_type_Netdev, "user,id=a,hostfw=x", "type", &err));
    g_assert_cmpstr(error_hints(err), ==, "Did you mean 'hostfwd'?\n");
    error_free(err);
    err = NULL;
    g_assert_null(opts_parse(&qapi_type_Netdev, "user,id=a,bogus=x", "type", &err));
    g_assert_cmpstr(error_hints(err), ==, "");
    error_free(err);
}

static const struct jval *entry(const struct jval *schema, const char *name)
{
    for (unsigned i = 0; i < jval_len(schema); i++) {
        if (!g_strcmp0(jval_get_str(jval_at(schema, i), "name"), name)) {
            return jval_at(schema, i);
        }
    }
    return NULL;
}

static void assert_type_known(const struct jval *schema, const char *name)
{
    g_assert_nonnull(name);
    g_assert_nonnull(entry(schema, name));
}

/*
 * Every name that the introspection reply uses is defined in it; netdev_add has our variants, as management tools
 * look for.
 */
static void test_introspection(void)
{
    struct jval *schema = jval_parse(qapi_schema_json, NULL);
    const struct jval *e, *variants;
    bool user = false;

    g_assert_nonnull(schema);
    for (unsigned i = 0; i < jval_len(schema); i++) {
        const char *meta;

        e = jval_at(schema, i);
        meta = jval_get_str(e, "meta-type");
        if (!strcmp(meta, "command")) {
            assert_type_known(schema, jval_get_str(e, "arg-type"));
            assert_type_known(schema, jval_get_str(e, "ret-type"));
        } else if (!strcmp(meta, "event")) {
            assert_type_known(schema, jval_get_str(e, "arg-type"));
        } else if (!strcmp(meta, "array")) {
            assert_type_known(schema, jval_get_str(e, "element-type"));
        } else if (!strcmp(meta, "object")) {
            const struct jval *m = jval_get(e, "members");

            for (unsigned k = 0; k < jval_len(m); k++) {
                assert_type_known(schema, jval_get_str(jval_at(m, k), "type"));
            }
        }
    }
    for (const struct qapi_command *c = qapi_commands; c->name; c++) {
        g_assert_nonnull(entry(schema, c->name));
    }
    e = entry(schema, jval_get_str(entry(schema, "netdev_add"), "arg-type"));
    g_assert_cmpstr(jval_get_str(e, "tag"), ==, "type");
    variants = jval_get(e, "variants");
    for (unsigned i = 0; i < jval_len(variants); i++) {
        user |= !strcmp(jval_get_str(jval_at(variants, i), "case"), "user");
    }
    g_assert_true(user);
    jval_free(schema);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qapi/parse", test_parse);
    g_test_add_func("/qapi/round-trip", test_round_trip);
    g_test_add_func("/qapi/home", test_home);
    g_test_add_func("/qapi/suggestions", test_suggestions);
    g_test_add_func("/qapi/introspection", test_introspection);
    return g_test_run();
}
