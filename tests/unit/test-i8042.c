/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-i8042.c - keyboard controller, keyboard, mouse: what the Linux driver asks when it probes, A20 */
#include "hw/input/i8042.h"
#include "tests/lib/isa_rig.h"

static struct isa_rig rig;
static struct i8042 *kbc;
static int a20 = -1;

static void a20_set(void *opaque, bool on)
{
    a20 = on;
}

static void setup(void)
{
    isa_rig_init(&rig);
    kbc = (struct i8042 *)device_new(&i8042_type, NULL);
    kbc->irq_kbd = &rig.line[1];
    kbc->irq_aux = &rig.line[12];
    kbc->a20 = a20_set;
    isa_rig_realize(&rig, &kbc->dev, true);
}

static void command(uint8_t v)
{
    out8(&rig, 0x64, v);
}

static void param(uint8_t cmd, uint8_t v)
{
    command(cmd);
    out8(&rig, 0x60, v);
}

/* Everything that waits, with the status bit that says who sent it */
static void expect(bool aux, const uint8_t *want, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmphex(in8(&rig, 0x64) & 0x21, ==, aux ? 0x21 : 0x01);
        g_assert_cmphex(in8(&rig, 0x60), ==, want[i]);
    }
    g_assert_cmphex(in8(&rig, 0x64) & 1, ==, 0);
}

#define EXPECT(aux, ...)                                                                                               \
    do {                                                                                                               \
        static const uint8_t want_[] = { __VA_ARGS__ };                                                                \
        expect(aux, want_, sizeof(want_));                                                                             \
    } while (0)

static void test_controller(void)
{
    setup();
    command(0xAA);
    EXPECT(false, 0x55);                        /* self-test */
    command(0xAB);
    EXPECT(false, 0x00);
    command(0xA9);
    EXPECT(false, 0x00);
    command(0x20);
    EXPECT(false, 0x65);
    param(0x60, 0x47);
    command(0x20);
    EXPECT(false, 0x47);
    param(0xD3, 0x5A);                          /* loops back as from the mouse */
    EXPECT(true, 0x5A);
    param(0xD2, 0xA5);
    EXPECT(false, 0xA5);
    param(0x65, 0x77);                          /* controller RAM */
    command(0x25);
    EXPECT(false, 0x77);
    isa_rig_fini(&rig);
}

static void test_interrupts(void)
{
    setup();
    param(0x60, 0x47);                          /* both interrupts on */
    param(0xD3, 1);
    g_assert_true(rig.level[12] && !rig.level[1]);
    in8(&rig, 0x60);
    g_assert_false(rig.level[12]);
    out8(&rig, 0x60, 0xF2);                     /* three bytes: an edge each */
    for (unsigned i = 0; i < 3; i++) {
        g_assert_true(rig.level[1]);
        g_assert_cmpuint(rig.rises[1], ==, i + 1);
        in8(&rig, 0x60);
    }
    g_assert_false(rig.level[1]);
    param(0x60, 0x44);
    out8(&rig, 0x60, 0xEE);
    g_assert_false(rig.level[1]);               /* off */
    isa_rig_fini(&rig);
}

static void test_keyboard(void)
{
    static const uint8_t press_release_a[] = { 0x1C, 0xF0, 0x1C };

    setup();
    param(0x60, 0x04);                          /* no translation */
    out8(&rig, 0x60, 0xFF);
    EXPECT(false, 0xFA, 0xAA);
    out8(&rig, 0x60, 0xF2);
    EXPECT(false, 0xFA, 0xAB, 0x83);
    out8(&rig, 0x60, 0xED);
    out8(&rig, 0x60, 0x05);
    EXPECT(false, 0xFA, 0xFA);
    g_assert_cmphex(kbc->kbd.leds, ==, 5);
    out8(&rig, 0x60, 0xEE);
    EXPECT(false, 0xEE);
    out8(&rig, 0x60, 0x10);
    EXPECT(false, 0xFE);                        /* no such command: resend */
    g_assert_true(i8042_put_key(kbc, press_release_a, 3));
    EXPECT(false, 0x1C, 0xF0, 0x1C);
    param(0x60, 0x44);                          /* translated to set 1 */
    g_assert_true(i8042_put_key(kbc, press_release_a, 3));
    EXPECT(false, 0x1E, 0x9E);
    for (unsigned i = 0; i < 100; i++) {
        i8042_put_key(kbc, press_release_a, 3); /* nobody reads: bounded, counted */
    }
    g_assert_cmpuint(kbc->kbd.len, <=, PS2_QUEUE);
    g_assert_cmpuint(kbc->kbd.dropped, >, 0);
    isa_rig_fini(&rig);
}

static void test_mouse(void)
{
    static const uint8_t knock[] = { 200, 100, 80 };

    setup();
    param(0x60, 0x47);
    param(0xD4, 0xFF);
    EXPECT(true, 0xFA, 0xAA, 0x00);
    param(0xD4, 0xF2);
    EXPECT(true, 0xFA, 0x00);
    for (unsigned i = 0; i < 3; i++) {
        param(0xD4, 0xF3);
        EXPECT(true, 0xFA);
        param(0xD4, knock[i]);
        EXPECT(true, 0xFA);
    }
    param(0xD4, 0xF2);
    EXPECT(true, 0xFA, 0x03);                   /* a wheel */
    i8042_move_mouse(kbc, 5, 5, 0, 0);
    g_assert_cmphex(in8(&rig, 0x64) & 1, ==, 0);/* not enabled yet */
    param(0xD4, 0xF4);
    EXPECT(true, 0xFA);
    i8042_move_mouse(kbc, 5, 3, -1, 1);
    EXPECT(true, 0x29, 0x05, 0xFD, 0xFF);
    param(0xD4, 0xE9);
    EXPECT(true, 0xFA, 0x24, 0x02, 80);
    isa_rig_fini(&rig);
}

static void test_a20(void)
{
    setup();
    g_assert_cmpint(a20, ==, 1);
    param(0xD1, 0xDD);
    g_assert_cmpint(a20, ==, 0);
    param(0xD1, 0xDF);
    g_assert_cmpint(a20, ==, 1);
    out8(&rig, 0x92, 0x00);
    g_assert_cmpint(a20, ==, 0);
    g_assert_cmphex(in8(&rig, 0x92), ==, 0x00);
    out8(&rig, 0x92, 0x02);
    g_assert_cmpint(a20, ==, 1);
    command(0xDD);
    g_assert_cmpint(a20, ==, 0);
    command(0xD0);
    EXPECT(false, 0xDD);
    isa_rig_fini(&rig);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_rig_once();
    g_test_add_func("/i8042/controller", test_controller);
    g_test_add_func("/i8042/interrupts", test_interrupts);
    g_test_add_func("/i8042/keyboard", test_keyboard);
    g_test_add_func("/i8042/mouse", test_mouse);
    g_test_add_func("/i8042/a20", test_a20);
    return g_test_run();
}
