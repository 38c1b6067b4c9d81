/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/eeprom93.h - serial EEPROMs 93C46, 93C56, 93C66 in 16-bit organisation (Microwire)
 *
 * The NIC's register has four wires: chip select, clock, data in, data out. Each guest write passes the first three to
 * eeprom93_set(); eeprom93_do() is what the fourth shows.
 */
#ifndef HW_NET_EEPROM93_H
#define HW_NET_EEPROM93_H

#include <stdbool.h>
#include <stdint.h>

enum eeprom93_chip { EEPROM_93C46, EEPROM_93C56, EEPROM_93C66 };

enum { EEPROM93_WORDS_MAX = 256, EEPROM93_STATES = 7 };

struct eeprom93 {
    uint16_t words[EEPROM93_WORDS_MAX];
    uint16_t nwords;
    uint8_t addr_bits;
    uint8_t state;              /* enum in eeprom93.c */
    uint8_t op;
    uint8_t bits;               /* received in this state */
    uint16_t shift;             /* bits in, or bits still to go out */
    uint16_t addr;
    bool cs, sk, dout;
    bool writable;              /* between EWEN and EWDS */
    bool program;               /* what falling CS carries out is pending in op, addr, shift */
};

void eeprom93_init(struct eeprom93 *ee, enum eeprom93_chip chip);
/** eeprom93_reset() - power-on state of the interface; the contents stay */
void eeprom93_reset(struct eeprom93 *ee);
/** eeprom93_set() - levels of the three input wires; acts on edges of @cs and @sk */
void eeprom93_set(struct eeprom93 *ee, bool cs, bool sk, bool di);
static inline bool eeprom93_do(const struct eeprom93 *ee)
{
    return ee->dout;
}
/** eeprom93_bits_max() - what .bits can be in this state (a state that comes from a stream) */
unsigned eeprom93_bits_max(const struct eeprom93 *ee);

#endif
