/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/vmstate.c - state tables of register files, serial EEPROMs and PHYs, and of where a ring was
 *
 * A register file on the wire is a list of rows: name, u16 number of copies, that many u32. The order is the table's;
 * a row that is not there is at reset. So a new register does not break old streams, a register that has gone does.
 */
#include "hw/net/vmstate.h"

#include "hw/net/eeprom93.h"
#include "hw/net/mii.h"
#include "hw/net/regs.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "migration/stream.h"

#include <string.h>

/* ---- register files ---- */

static void row_save(const struct regfile *rf, const struct reg *r, GByteArray *out)
{
    unsigned n = reg_count(r);
    guint at = out->len;

    g_byte_array_set_size(out, at + n * sizeof(uint32_t));
    for (unsigned i = 0; i < n; i++) {
        st_le32(out->data + at + i * sizeof(uint32_t), reg_get(rf, reg_off(r, i)));
    }
}

static void regfile_save(const void *field, const struct vmstate_field *f, GByteArray *out)
{
    const struct regfile *rf = field;

    for (unsigned n = 0; n < rf->nrows; n++) {
        const struct reg *r = &rf->rows[n];

        if (r->flags & REG_ALIAS || regfile_row_at_reset(rf, r)) {
            continue;
        }
        vms_put_name(out, r->name);
        vms_put(out, reg_count(r), 2);
        row_save(rf, r, out);
    }
}

static uint32_t row_bits(const struct reg *r)
{
    return r->rw | r->w1c | r->w1s | r->clear_on_read | r->hw;
}

/* Bits of the row that can differ from reset: its own, and those that can be changed through an alias */
static uint32_t changeable(const struct regfile *rf, const struct reg *r)
{
    uint32_t bits = row_bits(r);

    for (unsigned n = 0; n < rf->nrows; n++) {
        const struct reg *a = &rf->rows[n];

        if (a->flags & REG_ALIAS && a->store >= r->off && a->store <= reg_off(r, reg_count(r) - 1)) {
            bits |= row_bits(a);
        }
    }
    return bits;
}

static bool row_load(struct regfile *rf, const struct reg *r, struct vms_reader *in, Error **errp)
{
    unsigned count = (unsigned)vms_get(in, 2);
    uint32_t fixed = ~changeable(rf, r);
    const uint8_t *p;

    if (count != reg_count(r)) {
        error_setg(errp, "%s: %u copies, %u expected", r->name, count, reg_count(r));
        return false;
    }
    p = vms_get_bytes(in, count * sizeof(uint32_t));
    if (!p) {
        error_setg(errp, "%s: is cut off", r->name);
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        uint32_t v = ld_le32(p + i * sizeof(v)), wrong = (v ^ r->reset) & fixed;

        if (wrong) {
            error_setg(errp, "%s[%u]: 0x%x: bits 0x%x never change", r->name, i, v, wrong);
            return false;
        }
        reg_set(rf, reg_off(r, i), v);
    }
    return true;
}

/* Also what a reset leaves alone: what the stream does not name is at its initial value */
static void all_to_reset(struct regfile *rf)
{
    for (unsigned n = 0; n < rf->nrows; n++) {
        if (!(rf->rows[n].flags & REG_ALIAS)) {
            regfile_row_reset(rf, &rf->rows[n]);
        }
    }
}

static bool regfile_load(void *field, const struct vmstate_field *f, const uint8_t *buf, size_t len, Error **errp)
{
    struct vms_reader in = vms_reader_of(buf, len);
    struct regfile *rf = field;
    char name[VMSTATE_NAME_MAX + 1];

    all_to_reset(rf);
    for (unsigned n = 0; in.left; n++) {
        if (!vms_get_name(&in, name, sizeof(name))) {
            error_setg(errp, "the stream has no register here");
            return false;
        }
        while (n < rf->nrows && (rf->rows[n].flags & REG_ALIAS || strcmp(rf->rows[n].name, name) != 0)) {
            n++;
        }
        if (n == rf->nrows) {
            error_setg(errp, "unknown, doubled or misplaced register '%s'", name);
            return false;
        }
        if (!row_load(rf, &rf->rows[n], &in, errp)) {
            return false;
        }
    }
    return true;
}

const struct vmstate_codec vmstate_regfile = { regfile_save, regfile_load };

/* ---- rings ---- */

bool ring_resume(struct desc_ring *r, uint32_t next)
{
    uint32_t ready = ring_ready(r);             /* next is head now */
    uint32_t fetched = next >= r->head ? next - r->head : next + r->count - r->head;

    if (!r->running || next >= r->count || fetched > ready) {
        ring_stop(r);
        return false;
    }
    r->next = next;
    return true;
}

/* ---- serial EEPROMs ---- */

static bool eeprom_post_load(void *opaque, Error **errp)
{
    struct eeprom93 *ee = opaque;

    if (ee->bits > eeprom93_bits_max(ee)) {
        error_setg(errp, "%u bits in state %u", ee->bits, ee->state);
        return false;
    }
    return true;
}

const struct vmstate vmstate_eeprom93 = {
    .name = "eeprom93", .version = 1, .post_load = eeprom_post_load,
    .fields = (const struct vmstate_field[]){
        VMS_VARRAY(struct eeprom93, words, nwords, EEPROM93_WORDS_MAX),
        VMS(struct eeprom93, state, .max = EEPROM93_STATES - 1),
        VMS(struct eeprom93, op, .mask = 3),
        VMS(struct eeprom93, bits),
        VMS(struct eeprom93, shift),
        VMS(struct eeprom93, addr),
        VMS(struct eeprom93, cs),
        VMS(struct eeprom93, sk),
        VMS(struct eeprom93, dout),
        VMS(struct eeprom93, writable),
        VMS(struct eeprom93, program),
        VMS_END,
    },
};

/* ---- PHYs ---- */

/* A register of a PHY of another model, or one that the model does not have */
static bool mii_registers_ok(const struct mii *m, Error **errp)
{
    uint16_t reset[32] = { 0 }, bits[32] = { [MII_BMSR] = BMSR_AN_DONE };

    for (unsigned i = 0; i < m->model->nregs; i++) {
        const struct mii_reg *r = &m->model->regs[i];

        reset[r->num & 31] = r->reset;
        bits[r->num & 31] |= r->rw;
    }
    for (unsigned n = 0; n < ARRAY_LEN(reset); n++) {
        uint16_t wrong = (m->regs[n] ^ reset[n]) & (uint16_t)~bits[n];

        if (wrong) {
            error_setg(errp, "register %u: 0x%x: bits 0x%x never change", n, m->regs[n], wrong);
            return false;
        }
    }
    return true;
}

static bool mii_post_load(void *opaque, Error **errp)
{
    struct mii *m = opaque;
    bool negotiates = m->state == MII_NEGOTIATING;

    if (!mii_registers_ok(m, errp)) {
        return false;
    }
    if (negotiates != timer_armed(&m->an_timer)) {
        error_setg(errp, "state %u with%s a timer", m->state, negotiates ? "out" : "");
        return false;
    }
    return true;
}

const struct vmstate vmstate_mii = {
    .name = "mii", .version = 1, .post_load = mii_post_load,
    .fields = (const struct vmstate_field[]){
        VMS_ARRAY(struct mii, regs),
        VMS(struct mii, state, .max = MII_UP),
        VMS(struct mii, cable),
        VMS(struct mii, link_latch),
        VMS_TIMER(struct mii, an_timer),
        VMS_END,
    },
};
