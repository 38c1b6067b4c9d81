/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-keyval.c - "k=v,k=v" to a tree */
#include "qapi/keyval.h"

static void test_trees(void)
{
    static const struct {
        const char *in, *implied, *out;     /* out: JSON, or "!error" */
    } t[] = {
        { "user,id=a", "type", "{\"type\": \"user\", \"id\": \"a\"}" },
        { "type=user,id=a", "type", "{\"type\": \"user\", \"id\": \"a\"}" },
        { "a=1,,2,b=,,", NULL, "{\"a\": \"1,2\", \"b\": \",\"}" },
        { "a=x=y", NULL, "{\"a\": \"x=y\"}" },
        { "a=", NULL, "{\"a\": \"\"}" },
        { "pc,", "type", "{\"type\": \"pc\"}" },
        { "", "type", "{}" },
        { ",,,", "type", "{}" },
        { "addr.type=unix,addr.path=/x", NULL, "{\"addr\": {\"type\": \"unix\", \"path\": \"/x\"}}" },
        { "fwd=a,fwd=b,fwd=c,x=1", NULL, "{\"fwd\": [\"a\", \"b\", \"c\"], \"x\": \"1\"}" },
        { "a.0=x,a.1=y", NULL, "{\"a\": {\"0\": \"x\", \"1\": \"y\"}}" },
        { "a=1,a.b=2", NULL, "!Parameters 'a.*' used inconsistently" },
        { "a.b=2,a=1", NULL, "!Parameters 'a.*' used inconsistently" },
        { "a..b=1", NULL, "!Invalid parameter 'a..b'" },
        { ".=1", NULL, "!Invalid parameter '.'" },
        { "=1", NULL, "!Invalid parameter ''" },
        { "a b=1", NULL, "!Invalid parameter 'a b'" },
        { "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q=1", NULL, "!Invalid parameter 'a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q'" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(t); i++) {
        Error *err = NULL;
        struct jval *v = keyval_parse(t[i].in, t[i].implied, NULL, &err);

        if (t[i].out[0] == '!') {
            g_assert_null(v);
            g_assert_cmpstr(error_text(err), ==, t[i].out + 1);
            error_free(err);
        } else {
            char *text = jval_to_text(v, false);

            g_assert_cmpstr(text, ==, t[i].out);
            g_free(text);
        }
        jval_free(v);
    }
}

static void test_help(void)
{
    static const struct {
        const char *in;
        bool help;
    } t[] = { { "help", true }, { "?", true }, { "user,help", true }, { "user,id=help", false }, { "user", false } };

    for (unsigned i = 0; i < G_N_ELEMENTS(t); i++) {
        bool help = false;

        jval_free(keyval_parse(t[i].in, "type", &help, NULL));
        g_assert_cmpint(help, ==, t[i].help);
    }
}

static void test_many(void)
{
    GString *s = g_string_new(NULL);
    Error *err = NULL;

    for (int i = 0; i < 5000; i++) {
        g_string_append(s, "a=1,");
    }
    g_assert_null(keyval_parse(s->str, NULL, NULL, &err));
    g_assert_cmpstr(error_text(err), ==, "too many parameters");
    error_free(err);
    g_string_free(s, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keyval/trees", test_trees);
    g_test_add_func("/keyval/help", test_help);
    g_test_add_func("/keyval/many", test_many);
    return g_test_run();
}
