/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/eeprom93.c - Microwire EEPROM (93C46/56/66 data sheets, section "Instruction set")
 *
 * With chip select high, each rising clock edge takes one bit: a start bit 1, two bits of opcode, the address. Then a
 * READ shifts words out, most significant bit first, after one dummy 0, for as long as clocks come; a WRITE takes 16
 * bits and is carried out when chip select falls. Chip select low ends everything. While selected and idle the data
 * output is high: "ready". All of that is the table steps[]; bits that no row expects are ignored.
 */
#include "hw/net/eeprom93.h"
#include "lib/bits.h"

#include <string.h>

enum ee_state {
    EE_DESELECTED,
    EE_START,               /* waits for the start bit */
    EE_OPCODE,              /* 2 bits */
    EE_ADDRESS,             /* 6 or 8 bits */
    EE_SHIFT_OUT,           /* 16 bits a word, for ever */
    EE_SHIFT_IN,            /* 16 bits */
    EE_DONE,                /* further bits are ignored until CS falls */
};
static_assert(EE_DONE + 1 == EEPROM93_STATES, "as eeprom93.h says");

enum ee_event {
    EE_SELECT,              /* CS rose */
    EE_ONE,                 /* a 1 where a start bit may be */
    EE_GOT_OPCODE,
    EE_GOT_READ,            /* address complete, by opcode */
    EE_GOT_WRITE,
    EE_GOT_OTHER,
    EE_WORD_DONE,           /* 16 bits went in or out */
    EE_DESELECT,            /* CS fell */
};

enum { OP_EXTENDED = 0, OP_WRITE = 1, OP_READ = 2, OP_ERASE = 3 };
enum { EXT_EWDS = 0, EXT_WRAL = 1, EXT_ERAL = 2, EXT_EWEN = 3 };       /* the upper two address bits of OP_EXTENDED */

static unsigned extended_op(const struct eeprom93 *ee)
{
    return ee->addr >> (ee->addr_bits - 2) & 3;
}

static uint16_t *word_at(struct eeprom93 *ee, unsigned addr)
{
    return &ee->words[addr & (ee->nwords - 1)];
}

static void ready(struct eeprom93 *ee)
{
    ee->dout = true;
}

static void load_word(struct eeprom93 *ee)
{
    ee->shift = *word_at(ee, ee->addr);
    ee->dout = false;       /* the dummy bit */
}

static void next_word(struct eeprom93 *ee)
{
    ee->shift = *word_at(ee, ++ee->addr);
}

static void keep_write(struct eeprom93 *ee)
{
    ee->program = true;
}

static void other_op(struct eeprom93 *ee)
{
    if (ee->op == OP_EXTENDED && extended_op(ee) == EXT_EWEN) {
        ee->writable = true;
    } else if (ee->op == OP_EXTENDED && extended_op(ee) == EXT_EWDS) {
        ee->writable = false;
    } else {                /* ERASE, ERAL: writes of ones */
        ee->shift = 0xFFFF;
        ee->program = true;
    }
}

static void carry_out(struct eeprom93 *ee)
{
    bool all = ee->op == OP_EXTENDED;

    for (unsigned i = 0; ee->program && ee->writable && i < (all ? ee->nwords : 1); i++) {
        *word_at(ee, all ? i : ee->addr) = ee->shift;
    }
    ee->program = false;
    ee->dout = false;
}

static const struct ee_step {
    uint8_t from, on, to;
    void (*act)(struct eeprom93 *ee);
} steps[] = {
    { EE_DESELECTED, EE_SELECT,     EE_START,      ready      },
    { EE_START,      EE_ONE,        EE_OPCODE,     NULL       },
    { EE_OPCODE,     EE_GOT_OPCODE, EE_ADDRESS,    NULL       },
    { EE_ADDRESS,    EE_GOT_READ,   EE_SHIFT_OUT,  load_word  },
    { EE_ADDRESS,    EE_GOT_WRITE,  EE_SHIFT_IN,   NULL       },
    { EE_ADDRESS,    EE_GOT_OTHER,  EE_DONE,       other_op   },
    { EE_SHIFT_OUT,  EE_WORD_DONE,  EE_SHIFT_OUT,  next_word  },        /* sequential read */
    { EE_SHIFT_IN,   EE_WORD_DONE,  EE_DONE,       keep_write },
    { EE_START,      EE_DESELECT,   EE_DESELECTED, carry_out  },
    { EE_OPCODE,     EE_DESELECT,   EE_DESELECTED, carry_out  },
    { EE_ADDRESS,    EE_DESELECT,   EE_DESELECTED, carry_out  },
    { EE_SHIFT_OUT,  EE_DESELECT,   EE_DESELECTED, carry_out  },
    { EE_SHIFT_IN,   EE_DESELECT,   EE_DESELECTED, carry_out  },        /* an incomplete write is not carried out */
    { EE_DONE,       EE_DESELECT,   EE_DESELECTED, carry_out  },
};

static void ee_event(struct eeprom93 *ee, enum ee_event on)
{
    for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
        if (steps[i].from == ee->state && steps[i].on == on) {
            ee->state = steps[i].to;
            ee->bits = 0;
            if (steps[i].act) {
                steps[i].act(ee);
            }
            return;
        }
    }
}

/* Shift @di in; true: @n bits are complete */
static bool shift_in(struct eeprom93 *ee, bool di, unsigned n)
{
    ee->shift = (ee->bits ? ee->shift << 1 : 0) | di;
    return ++ee->bits == n;
}

unsigned eeprom93_bits_max(const struct eeprom93 *ee)
{
    switch (ee->state) {
    case EE_OPCODE:
        return 1;
    case EE_ADDRESS:
        return ee->addr_bits - 1u;
    case EE_SHIFT_OUT: case EE_SHIFT_IN:
        return 15;
    default:
        return 0;
    }
}

static enum ee_event address_event(const struct eeprom93 *ee)
{
    bool takes_data = ee->op == OP_WRITE || (ee->op == OP_EXTENDED && extended_op(ee) == EXT_WRAL);

    return ee->op == OP_READ ? EE_GOT_READ : takes_data ? EE_GOT_WRITE : EE_GOT_OTHER;
}

static void clock_edge(struct eeprom93 *ee, bool di)
{
    switch (ee->state) {
    case EE_START:
        if (di) {
            ee_event(ee, EE_ONE);
        }
        break;
    case EE_OPCODE:
        if (shift_in(ee, di, 2)) {
            ee->op = ee->shift & 3;
            ee_event(ee, EE_GOT_OPCODE);
        }
        break;
    case EE_ADDRESS:
        if (shift_in(ee, di, ee->addr_bits)) {
            ee->addr = ee->shift & bits_mask(ee->addr_bits);
            ee_event(ee, address_event(ee));
        }
        break;
    case EE_SHIFT_OUT:
        ee->dout = ee->shift & 0x8000;
        ee->shift <<= 1;
        if (++ee->bits == 16) {
            ee_event(ee, EE_WORD_DONE);
        }
        break;
    case EE_SHIFT_IN:
        if (shift_in(ee, di, 16)) {
            ee_event(ee, EE_WORD_DONE);
        }
        break;
    default:
        break;
    }
}

void eeprom93_init(struct eeprom93 *ee, enum eeprom93_chip chip)
{
    static const struct {
        uint16_t words;
        uint8_t addr_bits;
    } chips[] = { [EEPROM_93C46] = { 64, 6 }, [EEPROM_93C56] = { 128, 8 }, [EEPROM_93C66] = { 256, 8 } };

    memset(ee, 0, sizeof(*ee));
    memset(ee->words, 0xFF, sizeof(ee->words));
    ee->nwords = chips[chip].words;
    ee->addr_bits = chips[chip].addr_bits;
}

void eeprom93_reset(struct eeprom93 *ee)
{
    ee->state = EE_DESELECTED;
    ee->cs = ee->sk = ee->dout = false;
    ee->writable = ee->program = false;
    ee->bits = 0;
    ee->op = 0;
    ee->shift = ee->addr = 0;
}

void eeprom93_set(struct eeprom93 *ee, bool cs, bool sk, bool di)
{
    bool rising = sk && !ee->sk;

    if (cs != ee->cs) {
        ee_event(ee, cs ? EE_SELECT : EE_DESELECT);
    } else if (cs && rising) {
        clock_edge(ee, di);
    }
    ee->cs = cs;
    ee->sk = sk;
}
