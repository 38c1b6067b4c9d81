/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/chardev/compat.c - the short spelling of -serial, -monitor, -qmp and guestfwd: "tcp:HOST:PORT,server=on"
 *
 * It is turned into the tree that -chardev would make of its long spelling and filled in by the same schema, so
 * options, limits and errors are the same.
 */
#include "chardev_internal.h"
#include "qapi/keyval.h"
#include <string.h>

/* "HOST:PORT", "[V6]:PORT", ":PORT", up to @end; false: no port */
static bool host_port(struct jval *tree, const char *s, size_t len, const char *hkey, const char *pkey)
{
    char *text = g_strndup(s, len), *colon, *host = text;

    if (*text == '[') {
        char *close = strchr(text, ']');

        host = text + 1;
        colon = close && close[1] == ':' ? close + 1 : NULL;
        if (close) {
            *close = '\0';
        }
    } else {
        colon = strrchr(text, ':');
    }
    if (!colon || !colon[1]) {
        g_free(text);
        return false;
    }
    *colon = '\0';
    if (*host) {
        jval_set_str(tree, hkey, host);
    }
    jval_set_str(tree, pkey, colon + 1);
    g_free(text);
    return true;
}

/* Move the pairs of "k=v,switch" behind the address into @tree. */
static bool add_pairs(struct jval *tree, const char *s, Error **errp)
{
    struct jval *more = *s ? keyval_parse(s, NULL, NULL, errp) : jval_dict();

    for (unsigned i = 0; more && i < jval_len(more); i++) {
        jval_set(tree, jval_key_at(more, i), jval_copy(jval_at(more, i)));
    }
    jval_free(more);
    return more != NULL;
}

static bool socket_spec(struct jval *tree, const char *s, const char *whole, bool telnet, Error **errp)
{
    size_t len = strcspn(s, ",");

    jval_set_str(tree, "backend", "socket");
    if (!host_port(tree, s, len, "host", "port")) {
        error_setg(errp, "Invalid address in '%s': host:port expected", whole);
        return false;
    }
    if (telnet) {
        jval_set_str(tree, "telnet", "on");
    }
    return add_pairs(tree, s + len, errp);
}

/* udp:[rhost]:rport[@[lhost]:lport] */
static bool udp_spec(struct jval *tree, const char *s, const char *whole, Error **errp)
{
    size_t len = strcspn(s, "@,");
    bool ok = host_port(tree, s, len, "host", "port");

    jval_set_str(tree, "backend", "udp");
    s += len;
    if (ok && *s == '@') {
        len = strcspn(++s, ",");
        ok = host_port(tree, s, len, "localaddr", "localport");
        s += len;
    }
    if (!ok) {
        error_setg(errp, "Invalid address in '%s': udp:[host]:port[@[host]:port] expected", whole);
        return false;
    }
    return add_pairs(tree, s, errp);
}

/* KIND:PATH[,pairs] with @key for PATH */
static bool path_spec(struct jval *tree, const char *kind, const char *key, const char *s, Error **errp)
{
    size_t len = strcspn(s, ",");
    char *path = g_strndup(s, len);

    jval_set_str(tree, "backend", kind);
    jval_set_str(tree, key, path);
    g_free(path);
    return add_pairs(tree, s + len, errp);
}

static bool spec_tree(struct jval *tree, const char *spec, Error **errp)
{
    static const struct {
        const char *prefix, *kind, *key;
    } paths[] = {
        { "unix:", "socket", "path" }, { "file:", "file", "path" }, { "pipe:", "pipe", "path" }, { "fd:", "socket",
                                                                                                   "fd" },
        { "pty:", "pty", "path" }, { "ringbuf:", "ringbuf", "size" },
    };
    size_t word = strcspn(spec, ",");

    for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
        if (g_str_has_prefix(spec, paths[i].prefix)) {
            return path_spec(tree, paths[i].kind, paths[i].key, spec + strlen(paths[i].prefix), errp);
        }
    }
    if (g_str_has_prefix(spec, "tcp:") || g_str_has_prefix(spec, "telnet:")) {
        return socket_spec(tree, strchr(spec, ':') + 1, spec, *spec == 't' && spec[1] == 'e', errp);
    }
    if (g_str_has_prefix(spec, "udp:")) {
        return udp_spec(tree, spec + 4, spec, errp);
    }
    if (*spec == '/') {
        return path_spec(tree, "serial", "path", spec, errp);
    }
    if (g_str_has_prefix(spec, "stdio") && word == 5) {
        jval_set_str(tree, "backend", "stdio");
        return add_pairs(tree, spec + 5, errp);
    }
    if (!strcmp(spec, "null") || !strcmp(spec, "pty") || !strcmp(spec, "ringbuf")) {
        jval_set_str(tree, "backend", spec);
        return true;
    }
    if (g_str_has_prefix(spec, "vc")) {
        jval_set_str(tree, "backend", "null");      /* a window of a display that we do not have */
        return true;
    }
    error_setg(errp, "'%s' is not a valid character device", spec);
    return false;
}

struct chardev *chardev_new_compat(const char *id, const char *spec, Error **errp)
{
    struct jval *tree;
    struct chardev *c = NULL;
    ChardevOptions *o = NULL;
    bool mux = false;

    if (!strcmp(spec, "none")) {
        return NULL;
    }
    if (g_str_has_prefix(spec, "chardev:")) {
        c = chardev_find(spec + 8);
        if (!c) {
            error_setg(errp, "chardev '%s' not found", spec + 8);
        }
        return c;
    }
    if (g_str_has_prefix(spec, "mon:")) {
        mux = true;
        spec += 4;
    }
    tree = jval_dict();
    if (spec_tree(tree, spec, errp)) {
        jval_set_str(tree, "id", id);
        if (mux) {
            jval_set_str(tree, "mux", "on");
            if (g_str_has_prefix(spec, "stdio") && !jval_get(tree, "signal")) {
                jval_set_str(tree, "signal", "off");
            }
        }
        o = qapi_parse(&qapi_type_ChardevOptions, tree, QAPI_KEYVAL, errp);
    }
    jval_free(tree);
    c = o ? chardev_new_from(o, errp) : NULL;
    qapi_free_ChardevOptions(o);
    return c;
}
