/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-vmstate.c - state tables by themselves: every kind of field, every kind of broken stream, devices
 *
 * One toy struct has every kind of field that migration/vmstate.h knows. Its stream is taken apart byte by byte.
 */
#include "core/clock.h"
#include "core/device.h"
#include "core/loop.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "migration/devices.h"
#include "migration/stream.h"
#include "migration/vmstate.h"

#include <string.h>

enum { KEYS_MAX = 8, PORTS_MAX = 3, DATA_MAX = 32 };

struct port {
    uint16_t vlan;
    bool up;
};

struct toy {
    struct device dev;              /* first member: the toy is a device, too */
    uint8_t mode;
    uint16_t flags;
    uint32_t word;
    uint64_t wide;
    bool on;
    int32_t small;
    int64_t big;
    uint16_t table[4];
    uint8_t mac[6];
    uint32_t nkeys;
    uint16_t keys[KEYS_MAX];
    uint8_t ndata;
    uint8_t *data;                  /* made by pre_load and by the test */
    struct port front;
    struct port fixed[2];
    uint16_t nports;
    struct port *ports;
    struct timer tick;
    uint8_t text[16];               /* for the codec: a string */
    uint32_t young;                 /* since version 3 */
    bool extra_on;
    uint32_t extra;                 /* subsection */
    uint32_t sum;                   /* derived: word + extra */
    unsigned hooks;
};

/* A codec: the string without what is behind its NUL */
static void text_save(const void *field, const struct vmstate_field *f, GByteArray *out)
{
    const char *s = field;

    g_byte_array_append(out, field, (guint)strlen(s));
}

static bool text_load(void *field, const struct vmstate_field *f, const uint8_t *buf, size_t len, Error **errp)
{
    if (len > 15 || memchr(buf, 0, len)) {
        error_setg(errp, "is no text");
        return false;
    }
    memset(field, 0, 16);
    memcpy(field, buf, len);
    return true;
}

static const struct vmstate_codec text_codec = { text_save, text_load };

static const struct vmstate vms_port = {
    .name = "port", .version = 1,
    .fields = (const struct vmstate_field[]){
        VMS(struct port, vlan, .max = 4094),
        VMS(struct port, up),
        VMS_END,
    },
};

static bool extra_needed(const void *opaque)
{
    return ((const struct toy *)opaque)->extra_on;
}

static bool extra_post_load(void *opaque, Error **errp)
{
    ((struct toy *)opaque)->extra_on = true;
    return true;
}

static const struct vmstate vms_extra = {
    .name = "extra", .version = 1, .needed = extra_needed, .post_load = extra_post_load,
    .fields = (const struct vmstate_field[]){
        VMS(struct toy, extra, .mask = 0xFFF),
        VMS_END,
    },
};

static bool never(const void *opaque)
{
    return false;
}

static const struct vmstate vms_second = {
    .name = "second", .version = 1, .needed = never, .fields = (const struct vmstate_field[]){ VMS_END },
};

static void toy_pre_save(void *opaque)
{
    ((struct toy *)opaque)->hooks |= 1;
}

static bool toy_pre_load(void *opaque, Error **errp)
{
    struct toy *t = opaque;

    t->hooks |= 2;
    if (!t->data) {
        t->data = g_malloc0(DATA_MAX);
    }
    return true;
}

static bool toy_post_load(void *opaque, Error **errp)
{
    struct toy *t = opaque;

    if (t->word == 0xDEAD) {
        error_setg(errp, "word and mode do not fit");
        return false;
    }
    t->sum = t->word + t->extra;
    return true;
}

static const struct vmstate vms_toy = {
    .name = "toy", .version = 3, .minimum = 2,
    .pre_save = toy_pre_save, .pre_load = toy_pre_load, .post_load = toy_post_load,
    .fields = (const struct vmstate_field[]){
        VMS(struct toy, mode, .min = 1, .max = 5),
        VMS(struct toy, flags, .mask = 0x0FF0),
        VMS(struct toy, word),
        VMS(struct toy, wide, .min = 1),
        VMS(struct toy, on),
        VMS(struct toy, small, .min = -3, .max = 3),
        VMS(struct toy, big, .min = -1000000000000, .max = 5),
        VMS_ARRAY(struct toy, table, .max = 1000),
        VMS_BYTES(struct toy, mac),
        VMS(struct toy, nkeys, .max = KEYS_MAX),
        VMS_VARRAY(struct toy, keys, nkeys, KEYS_MAX, .mask = 0xFF),
        VMS(struct toy, ndata, .max = DATA_MAX),
        VMS_VBYTES_PTR(struct toy, data, ndata, DATA_MAX),
        VMS_STRUCT(struct toy, front, vms_port),
        VMS_STRUCT_ARRAY(struct toy, fixed, vms_port),
        VMS(struct toy, nports, .max = PORTS_MAX),
        VMS_STRUCT_VARRAY_PTR(struct toy, ports, nports, PORTS_MAX, vms_port),
        VMS_TIMER(struct toy, tick),
        VMS_UNUSED("old_speed", 3),
        VMS_CODED(struct toy, text, text_codec, 15),
        VMS(struct toy, young, .since = 3),
        VMS_END,
    },
    .subsections = (const struct vmstate *const[]){ &vms_extra, &vms_second, NULL },
};

/* ---- the toy ---- */

static void ticked(void *opaque)
{
    ((struct toy *)opaque)->hooks |= 0x100;
}

static void toy_init(struct toy *t)
{
    memset(t, 0, sizeof(*t));
    t->ports = g_new0(struct port, PORTS_MAX);
    timer_setup(&t->tick, CLOCK_VIRTUAL, ticked, t);
}

static void toy_fini(struct toy *t)
{
    timer_fini(&t->tick);
    g_clear_pointer(&t->data, g_free);
    g_clear_pointer(&t->ports, g_free);
}

static void toy_fill(struct toy *t)
{
    t->mode = 4;
    t->flags = 0x0120;
    t->word = 0x12345678;
    t->wide = 0x123456789ABCDEF0;
    t->on = true;
    t->small = -2;
    t->big = -1000000000000;
    for (unsigned i = 0; i < 4; i++) {
        t->table[i] = (uint16_t)(i * 300);
    }
    memcpy(t->mac, "\x52\x54\0\1\2\3", 6);
    t->nkeys = 3;
    memcpy(t->keys, (uint16_t[]){ 0x11, 0x22, 0xFF }, 6);
    if (!t->data) {
        t->data = g_malloc0(DATA_MAX);
    }
    t->ndata = 5;
    memcpy(t->data, "hello", 5);
    t->front = (struct port){ 17, true };
    t->fixed[1] = (struct port){ 4094, false };
    t->nports = 2;
    t->ports[0] = (struct port){ 1, true };
    t->ports[1] = (struct port){ 2, false };
    timer_arm(&t->tick, clock_get_ns(CLOCK_VIRTUAL) + 5000);
    strcpy((char *)t->text, "a text");
    t->young = 77;
    t->extra_on = true;
    t->extra = 0x123;
}

static GByteArray *toy_bytes(bool with_extra)
{
    GByteArray *out = g_byte_array_new();
    struct toy t;

    toy_init(&t);
    toy_fill(&t);
    t.extra_on = with_extra;
    vmstate_save(&vms_toy, &t, out);
    g_assert_cmphex(t.hooks, ==, 1);
    toy_fini(&t);
    return out;
}

static void test_round_trip(void)
{
    g_autoptr(GByteArray) bytes = toy_bytes(true), again = g_byte_array_new();
    struct toy t;

    toy_init(&t);
    g_assert_true(vmstate_load(&vms_toy, &t, bytes->data, bytes->len, NULL));
    g_assert_cmphex(t.hooks, ==, 2);
    g_assert_cmpuint(t.mode, ==, 4);
    g_assert_cmphex(t.flags, ==, 0x0120);
    g_assert_cmphex(t.wide, ==, 0x123456789ABCDEF0);
    g_assert_true(t.on);
    g_assert_cmpint(t.small, ==, -2);
    g_assert_cmpint(t.big, ==, -1000000000000);
    g_assert_cmpuint(t.table[3], ==, 900);
    g_assert_cmpmem(t.mac, 6, "\x52\x54\0\1\2\3", 6);
    g_assert_cmpuint(t.keys[2], ==, 0xFF);
    g_assert_cmpuint(t.ndata, ==, 5);
    g_assert_cmpmem(t.data, 5, "hello", 5);
    g_assert_cmpuint(t.front.vlan, ==, 17);
    g_assert_cmpuint(t.fixed[1].vlan, ==, 4094);
    g_assert_cmpuint(t.ports[1].vlan, ==, 2);
    g_assert_true(t.ports[0].up);
    g_assert_cmpint(t.tick.expire_ns, ==, clock_get_ns(CLOCK_VIRTUAL) + 5000);
    g_assert_cmpstr((char *)t.text, ==, "a text");
    g_assert_cmpuint(t.young, ==, 77);
    g_assert_cmphex(t.extra, ==, 0x123);
    g_assert_cmphex(t.sum, ==, 0x12345678 + 0x123);         /* derived: not in the stream */

    vmstate_save(&vms_toy, &t, again);
    g_assert_cmpmem(again->data, again->len, bytes->data, bytes->len);
    clock_virtual_set(clock_get_ns(CLOCK_VIRTUAL) + 5000);
    g_assert_true(t.hooks & 0x100);                         /* the timer really runs */

    /* a timer that was not armed is disarmed by the load */
    again->len = 0;
    timer_disarm(&t.tick);
    vmstate_save(&vms_toy, &t, again);
    timer_arm(&t.tick, clock_get_ns(CLOCK_VIRTUAL) + 1);
    g_assert_true(vmstate_load(&vms_toy, &t, again->data, again->len, NULL));
    g_assert_false(timer_armed(&t.tick));
    toy_fini(&t);
}

static void test_subsections(void)
{
    g_autoptr(GByteArray) with = toy_bytes(true), without = toy_bytes(false);
    struct toy t;

    g_assert_cmpuint(without->len, <, with->len);
    toy_init(&t);
    g_assert_true(vmstate_load(&vms_toy, &t, without->data, without->len, NULL));
    g_assert_false(t.extra_on);
    g_assert_cmphex(t.extra, ==, 0);                        /* left as reset had it */
    toy_fini(&t);
}

/* ---- what a stream may not be. Each case edits a good one; the error must name the place ---- */

static guint find(const GByteArray *b, const char *name)
{
    size_t n = strlen(name);

    for (guint i = 0; i + n < b->len; i++) {
        if (b->data[i] == n && memcmp(b->data + i + 1, name, n) == 0) {
            return i + 1 + (guint)n;                        /* what follows the name */
        }
    }
    g_assert_not_reached();
}

static guint payload(const GByteArray *b, const char *name)
{
    return find(b, name) + 9;                               /* kind, count, length */
}

static void refused(GByteArray *b, const char *text)
{
    g_autoptr(Error) err = NULL;
    struct toy t;

    toy_init(&t);
    t.word = 0x600D;
    g_assert_false(vmstate_load(&vms_toy, &t, b->data, b->len, &err));
    g_assert_nonnull(err);
    g_assert_cmpstr(error_text(err), ==, text);
    g_assert_cmphex(t.word, ==, 0x600D);                    /* the first walk stores nothing */
    g_assert_cmphex(t.hooks, ==, 0);
    toy_fini(&t);
}

static void test_values(void)
{
    static const struct {
        const char *field;
        unsigned at, size;
        uint64_t val;
        const char *text;
    } cases[] = {
        { "mode", 0, 1, 0, "toy.mode: 0 is not within 1..5" },
        { "mode", 0, 1, 6, "toy.mode: 6 is not within 1..5" },
        { "flags", 0, 2, 0x1120, "toy.flags: 0x1120 has bits outside 0xff0" },
        { "wide", 0, 8, 0, "toy.wide: 0 is below 1" },
        { "on", 0, 1, 2, "toy.on: 2 is no bool" },
        { "small", 0, 4, (uint32_t)-4, "toy.small: -4 is not within -3..3" },
        { "small", 0, 4, 4, "toy.small: 4 is not within -3..3" },
        { "big", 0, 8, 6, "toy.big: 6 is not within -1000000000000..5" },
        { "table", 4, 2, 1001, "toy.table[2]: 1001 is not within 0..1000" },
        { "nkeys", 0, 4, 9, "toy.nkeys: 9 is not within 0..8" },
        { "keys", 2, 2, 0x100, "toy.keys[1]: 0x100 has bits outside 0xff" },
        { "ndata", 0, 1, 33, "toy.ndata: 33 is not within 0..32" },
        { "tick", 0, 8, (uint64_t)-2, "toy.tick: -2 is no time" },
        { "extra", 7 + 2 + 5 + 9, 4, 0x1000, "toy.extra.extra: 0x1000 has bits outside 0xfff" },
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        g_autoptr(GByteArray) b = toy_bytes(true);
        guint at = cases[i].field[0] == 'e' ? find(b, "extra") - 1 : payload(b, cases[i].field);

        st_le_n(b->data + at + cases[i].at, cases[i].val, cases[i].size);
        refused(b, cases[i].text);
    }
}

static void test_nested_values(void)
{
    g_autoptr(GByteArray) b = toy_bytes(true);
    guint ports = payload(b, "ports"), second;
    GByteArray rest = { b->data + ports, b->len - ports };

    second = ports + find(&rest, "up") + 10;                /* behind the first port */
    rest = (GByteArray){ b->data + second, b->len - second };
    st_le16(b->data + second + payload(&rest, "vlan"), 4095);
    refused(b, "toy.ports[1].vlan: 4095 is not within 0..4094");
}

static void test_headers(void)
{
    static const struct {
        const char *field;
        unsigned at, size;          /* 0: kind, 1: count, 5: length */
        uint64_t val;
        const char *text;
    } cases[] = {
        { "mode", 0, 1, VMS_U16, "toy.mode: is u16 (2) in the stream, u8 here" },
        { "mode", 0, 1, 200, "toy.mode: is unknown kind (200) in the stream, u8 here" },
        { "mode", 1, 4, 2, "toy.mode: 2 values, at most 1" },
        { "mode", 1, 4, 0, "toy.mode: 0 values, 1 expected" },
        { "mode", 5, 4, 0, "toy.mode: 0 bytes for 1 values" },
        { "table", 1, 4, 3, "toy.table: 3 values, 4 expected" },
        { "table", 1, 4, 0xFFFFFFFF, "toy.table: 4294967295 values, at most 4" },
        { "keys", 1, 4, 9, "toy.keys: 9 values, at most 8" },
        { "keys", 1, 4, 0x80000003, "toy.keys: 2147483651 values, at most 8" },
        { "keys", 1, 4, 2, "toy.keys: 6 bytes for 2 values" },
        { "data", 1, 4, 33, "toy.data: 33 values, at most 32" },
        { "data", 1, 4, 6, "toy.data: 5 bytes for 6 values" },
        { "ports", 1, 4, 4, "toy.ports: 4 values, at most 3" },
        { "text", 1, 4, 16, "toy.text: 16 values, at most 15" },
        { "text", 1, 4, 5, "toy.text: 6 bytes for 5 values" },
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        g_autoptr(GByteArray) b = toy_bytes(true);

        st_le_n(b->data + find(b, cases[i].field) + cases[i].at, cases[i].val, cases[i].size);
        refused(b, cases[i].text);
    }
}

static void test_lengths(void)
{
    g_autoptr(GByteArray) b = toy_bytes(true);
    g_autofree char *text = NULL;
    guint at = find(b, "word") + 5;

    st_le32(b->data + at, 0xFFFFFFF0);
    text = g_strdup_printf("toy.word: 4294967280 bytes, only %u left", b->len - at - 4);
    refused(b, text);

    st_le32(b->data + at, 4);
    st_le32(b->data + find(b, "toy") + 2, 0x7FFFFFFF);
    g_free(text);
    text = g_strdup_printf("toy: section 'toy' has 2147483647 bytes, only %u left", b->len - find(b, "toy") - 6);
    refused(b, text);

    st_le32(b->data + find(b, "toy") + 2, b->len - find(b, "toy") - 6);
    g_byte_array_append(b, (const guint8 *)"xx", 2);
    refused(b, "toy: 2 bytes left over");
}

static void test_versions(void)
{
    static const struct {
        uint16_t version;
        const char *text;
    } cases[] = {
        { 4, "toy: version 4, this program reads 2 to 3" },
        { 1, "toy: version 1, this program reads 2 to 3" },
        { 0, "toy: version 0, this program reads 2 to 3" },
    };
    struct toy t;

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        g_autoptr(GByteArray) b = toy_bytes(true);

        st_le16(b->data + find(b, "toy"), cases[i].version);
        refused(b, cases[i].text);
    }

    /* version 2 does not have "young": without it the stream is good, with it it is not */
    g_autoptr(GByteArray) b = toy_bytes(false);
    unsigned field = 1 + 1 + 5 + 9 + 4;

    st_le16(b->data + find(b, "toy"), 2);
    refused(b, "toy: the stream has no section here");
    g_byte_array_set_size(b, b->len - field);
    st_le32(b->data + find(b, "toy") + 2, b->len - find(b, "toy") - 6);
    toy_init(&t);
    t.young = 5;
    g_assert_true(vmstate_load(&vms_toy, &t, b->data, b->len, NULL));
    g_assert_cmpuint(t.young, ==, 5);
    toy_fini(&t);
}

static void test_names(void)
{
    g_autoptr(GByteArray) b = toy_bytes(true);

    b->data[find(b, "word") - 1] = 'x';
    refused(b, "toy.word: the stream has 'worx' here");
    b->data[find(b, "worx") - 1] = '\n';
    refused(b, "toy.word: the stream has no field here");

    g_byte_array_unref(b);
    b = toy_bytes(true);
    b->data[find(b, "port") - 1] = 'x';
    refused(b, "toy.front: section 'porx' where 'port' should be");

    g_byte_array_unref(b);
    b = toy_bytes(true);
    b->data[find(b, "toy") - 1] = 'x';
    refused(b, "toy: section 'tox' where 'toy' should be");

    g_byte_array_unref(b);
    b = toy_bytes(true);
    memcpy(b->data + find(b, "extra") - 5, "extro", 5);
    refused(b, "toy: unknown, doubled or misplaced subsection 'extro'");
}

/* Append @n copies of the subsections of @from behind the fields of @b */
static void test_doubled_subsection(void)
{
    g_autoptr(GByteArray) b = toy_bytes(true), plain = toy_bytes(false);
    guint sub = b->len - plain->len;
    g_autofree uint8_t *copy = g_memdup2(b->data + plain->len, sub);

    g_byte_array_append(b, copy, sub);
    st_le32(b->data + find(b, "toy") + 2, b->len - find(b, "toy") - 6);
    refused(b, "toy: unknown, doubled or misplaced subsection 'extra'");
}

/* What only the second walk can see: relations. The object is left with values in range */
static void refused_late(GByteArray *b, const char *text)
{
    g_autoptr(Error) err = NULL;
    struct toy t;

    toy_init(&t);
    g_assert_false(vmstate_load(&vms_toy, &t, b->data, b->len, &err));
    g_assert_cmpstr(error_text(err), ==, text);
    g_assert_cmpuint(t.nkeys, <=, KEYS_MAX);
    toy_fini(&t);
}

static void test_relations(void)
{
    g_autoptr(GByteArray) b = toy_bytes(true);

    st_le32(b->data + payload(b, "nkeys"), 8);
    refused_late(b, "toy.keys: 3 values, but its count says 8");
    st_le32(b->data + payload(b, "nkeys"), 3);
    b->data[payload(b, "text") + 2] = 0;
    refused_late(b, "toy.text: is no text");
    b->data[payload(b, "text") + 2] = 't';
    st_le32(b->data + payload(b, "word"), 0xDEAD);
    refused_late(b, "toy: word and mode do not fit");
}

static void test_no_room(void)
{
    g_autoptr(GByteArray) b = toy_bytes(true);
    g_autoptr(Error) err = NULL;
    struct toy t;

    toy_init(&t);
    g_clear_pointer(&t.ports, g_free);
    g_assert_false(vmstate_load(&vms_toy, &t, b->data, b->len, &err));
    g_assert_cmpstr(error_text(err), ==, "toy.ports: there is no room for it in this device");
    toy_fini(&t);
}

/* Cut at every byte, with and without the length of the section telling */
static void test_truncated(void)
{
    g_autoptr(GByteArray) good = toy_bytes(true), plain = toy_bytes(false);
    struct toy t;

    toy_init(&t);
    for (guint len = 0; len < good->len; len++) {
        g_autofree uint8_t *cut = g_memdup2(good->data, MAX(len, 1));   /* exact size: a sanitizer sees every overrun */
        Error *err = NULL;

        g_assert_false(vmstate_load(&vms_toy, &t, cut, len, &err));
        g_assert_nonnull(err);
        g_clear_pointer(&err, error_free);
        if (len >= 11) {
            bool whole = len == plain->len;     /* fields complete, no subsection: a good stream */

            st_le32(cut + 7, len - 11);
            g_assert_true(vmstate_load(&vms_toy, &t, cut, len, &err) == whole);
            g_assert_true(!err == whole);
            error_free(err);
        }
    }
    toy_fini(&t);
}

/* Every bit of every byte flipped: the load says no, or says yes and all values are within their ranges */
static void test_flipped(void)
{
    g_autoptr(GByteArray) good = toy_bytes(true);
    unsigned taken = 0;
    struct toy t;

    toy_init(&t);
    for (guint i = 0; i < good->len * 8; i++) {
        g_autofree uint8_t *bad = g_memdup2(good->data, good->len);
        g_autoptr(Error) err = NULL;
        bool ok;

        bad[i / 8] ^= 1 << (i % 8);
        ok = vmstate_load(&vms_toy, &t, bad, good->len, &err);
        g_assert_true(ok == !err);
        taken += ok;
        if (ok) {
            g_assert_true(t.mode >= 1 && t.mode <= 5 && !(t.flags & ~0xFF0) && t.nkeys == 3 && t.ndata == 5 &&
                          t.nports == 2 && t.extra <= 0xFFF && t.small >= -3 && t.small <= 3);
        } else {
            g_assert_true(g_str_has_prefix(error_text(err), "toy"));
        }
    }
    g_assert_cmpuint(taken, >, 200);            /* plain data: word, wide, mac, ... */
    g_assert_cmpuint(taken, <, good->len * 4);  /* and most is not */
    toy_fini(&t);
}

/* ---- reader ---- */

static void test_reader(void)
{
    static const uint8_t in[] = { 1, 2, 3, 4, 5, 3, 'a', 'b', 'c', 2, 'x' };
    struct vms_reader r = vms_reader_of(in, sizeof(in));
    char name[4];

    g_assert_cmphex(vms_get(&r, 4), ==, 0x04030201);
    g_assert_cmphex(vms_get(&r, 1), ==, 5);
    g_assert_true(vms_get_name(&r, name, sizeof(name)));
    g_assert_cmpstr(name, ==, "abc");
    g_assert_false(vms_get_name(&r, name, sizeof(name)));   /* says 2, has 1 */
    g_assert_false(r.ok);
    g_assert_cmphex(vms_get(&r, 1), ==, 0);
    g_assert_null(vms_get_bytes(&r, 0));

    r = vms_reader_of(in + 5, 4);
    g_assert_false(vms_get_name(&r, name, 3));              /* no room for the NUL */
    r = vms_reader_of(in, 3);
    g_assert_cmphex(vms_get(&r, 4), ==, 0);
    g_assert_false(r.ok);
}

/* ---- devices ---- */

static bool toy_realize(struct device *d, Error **errp)
{
    struct toy *t = (struct toy *)d;

    t->ports = g_new0(struct port, PORTS_MAX);
    timer_setup(&t->tick, CLOCK_VIRTUAL, ticked, t);
    return true;
}

static void toy_unrealize(struct device *d)
{
    toy_fini((struct toy *)d);
}

static void toy_reset(struct device *d)
{
    struct toy *t = (struct toy *)d;

    t->mode = 1;
    t->wide = 1;
    t->word = t->extra = t->nkeys = t->ndata = t->nports = 0;
    t->extra_on = false;
    t->hooks |= 0x200;
    timer_disarm(&t->tick);
}

static const struct device_type type_base = {
    .name = "base-toy", .size = sizeof(struct toy), .bus = "System", .vmsd = &vms_toy, .abstract = true,
    .realize = toy_realize, .unrealize = toy_unrealize, .reset = toy_reset,
};
static const struct vmstate vms_leaf = {
    .name = "leaf", .version = 1,
    .fields = (const struct vmstate_field[]){ VMS(struct toy, sum), VMS_END },
};
static const struct device_type type_leaf = {
    .name = "leaf-toy", .parent = &type_base, .size = sizeof(struct toy), .bus = "System", .vmsd = &vms_leaf,
};
static const struct device_type type_plain = { .name = "no-state", .size = sizeof(struct device), .bus = "System" };

struct three {
    struct device *a, *b, *plain;
};

static struct three three_new(void)
{
    struct three d = { device_new(&type_leaf, "a"), device_new(&type_leaf, "b"), device_new(&type_plain, "p") };

    g_assert_true(device_realize(d.a, NULL, NULL));
    g_assert_true(device_realize(d.plain, NULL, NULL));
    g_assert_true(device_realize(d.b, NULL, NULL));
    return d;
}

static void three_free(struct three *d)
{
    device_free(d->b);
    device_free(d->plain);
    device_free(d->a);
}

static void test_device(void)
{
    struct three d = three_new();
    struct toy *a = (struct toy *)d.a, *b = (struct toy *)d.b;
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(Error) err = NULL;

    g_assert_true(device_has_state(d.a));
    g_assert_false(device_has_state(d.plain));
    toy_fill(a);
    a->sum = 99;
    device_save(d.a, bytes);
    b->hooks = 0;
    g_assert_true(device_load(d.b, bytes->data, bytes->len, NULL));
    g_assert_cmphex(b->word, ==, 0x12345678);
    g_assert_cmpuint(b->sum, ==, 99);                       /* the leaf's section comes behind the root's */
    g_assert_cmphex(b->hooks & 0x200, ==, 0x200);

    /* one section good, the other broken: nothing is touched */
    b->hooks = 0;
    b->word = 1;
    bytes->data[find(bytes, "leaf") - 1] = 'x';
    g_assert_false(device_load(d.b, bytes->data, bytes->len, &err));
    g_assert_cmpstr(error_text(err), ==, "leaf: section 'leax' where 'leaf' should be");
    g_assert_cmphex(b->word, ==, 1);
    g_assert_cmphex(b->hooks, ==, 0);
    bytes->data[find(bytes, "leax") - 1] = 'f';

    /* refused by post_load: the device is in its reset state */
    g_clear_pointer(&err, error_free);
    st_le32(bytes->data + payload(bytes, "word"), 0xDEAD);
    g_assert_false(device_load(d.b, bytes->data, bytes->len, &err));
    g_assert_cmphex(b->word, ==, 0);
    g_assert_false(timer_armed(&b->tick));

    g_clear_pointer(&err, error_free);
    st_le32(bytes->data + payload(bytes, "word"), 0);
    vms_put(bytes, 0, 4);
    g_assert_false(device_load(d.b, bytes->data, bytes->len, &err));
    g_assert_cmpstr(error_text(err), ==, "leaf-toy: 4 bytes left over");
    three_free(&d);
}

static void all_refused(GByteArray *b, const char *text)
{
    g_autoptr(Error) err = NULL;

    g_assert_false(device_load_all(b->data, b->len, &err));
    g_assert_cmpstr(error_text(err), ==, text);
}

static void test_all_devices(void)
{
    struct three d = three_new();
    struct toy *a = (struct toy *)d.a, *b = (struct toy *)d.b;
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    guint head = 6 + 2 + 4, rec;

    toy_fill(a);
    toy_fill(b);
    b->word = 42;
    device_save_all(bytes);
    a->word = b->word = 7;
    g_assert_true(device_load_all(bytes->data, bytes->len, NULL));
    g_assert_cmphex(a->word, ==, 0x12345678);
    g_assert_cmphex(b->word, ==, 42);

    /* the same records in the other order are the same machine */
    rec = 1 + 1 + (guint)strlen(d.a->path) + 1 + 8 + 4 + ld_le32(bytes->data + find(bytes, "leaf-toy"));
    g_autoptr(GByteArray) other = g_byte_array_new();
    g_byte_array_append(other, bytes->data, head);
    g_byte_array_append(other, bytes->data + head + rec, bytes->len - head - rec);
    g_byte_array_append(other, bytes->data + head, rec);
    a->word = 7;
    g_assert_true(device_load_all(other->data, other->len, NULL));
    g_assert_cmphex(a->word, ==, 0x12345678);

    /* one record broken: no device has changed */
    a->word = b->word = 7;
    st_le32(other->data + payload(other, "nkeys"), 9);
    all_refused(other, "/machine/peripheral/b: toy.nkeys: 9 is not within 0..8");
    g_assert_cmphex(a->word, ==, 7);
    g_assert_cmphex(b->word, ==, 7);

    st_le32(bytes->data + 8, 1);
    other->len = head + (bytes->len - head - rec);
    st_le32(other->data + payload(other, "nkeys"), 3);
    st_le32(other->data + 8, 1);
    all_refused(other, "device state: the stream has no '/machine/peripheral/a' (leaf-toy)");
    st_le32(other->data + 8, 2);
    all_refused(other, "device state: the stream has no device here");
    st_le32(bytes->data + 8, 1);
    bytes->len--;
    st_le32(bytes->data + 8, 2);
    all_refused(bytes, "device state: '/machine/peripheral/b' is cut off");
    bytes->data[find(bytes, d.a->path) - 1] = 'z';
    all_refused(bytes, "device state: this machine has no '/machine/peripheral/z' (leaf-toy)");
    bytes->data[find(bytes, "/machine/peripheral/z") - 1] = 'b';
    bytes->len++;
    all_refused(bytes, "device state: '/machine/peripheral/b' comes twice");
    bytes->data[find(bytes, "leaf-toy") - 1] = 'x';
    all_refused(bytes, "device state: '/machine/peripheral/b' is 'leaf-tox' in the stream, 'leaf-toy' here");
    bytes->data[0] = 'X';
    all_refused(bytes, "device state: not a stream of format 1");
    bytes->len = 7;
    all_refused(bytes, "device state: not a stream of format 1");
    three_free(&d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    clock_virtual_manual();
    g_test_add_func("/vmstate/round-trip", test_round_trip);
    g_test_add_func("/vmstate/subsections", test_subsections);
    g_test_add_func("/vmstate/values", test_values);
    g_test_add_func("/vmstate/nested-values", test_nested_values);
    g_test_add_func("/vmstate/headers", test_headers);
    g_test_add_func("/vmstate/lengths", test_lengths);
    g_test_add_func("/vmstate/versions", test_versions);
    g_test_add_func("/vmstate/names", test_names);
    g_test_add_func("/vmstate/doubled-subsection", test_doubled_subsection);
    g_test_add_func("/vmstate/relations", test_relations);
    g_test_add_func("/vmstate/no-room", test_no_room);
    g_test_add_func("/vmstate/truncated", test_truncated);
    g_test_add_func("/vmstate/flipped", test_flipped);
    g_test_add_func("/vmstate/reader", test_reader);
    g_test_add_func("/vmstate/device", test_device);
    g_test_add_func("/vmstate/all-devices", test_all_devices);
    return g_test_run();
}
