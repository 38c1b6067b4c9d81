/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/nvm.c - EEPROM: contents, bit-banged access (EECD), read register (EERD), loading at reset
 *
 * The map is 8254x SDM table 5-2. All 64 words add up to 0xBABA. The station address goes in at realize; whoever
 * reprograms the EEPROM finds the new one in RAL0/RAH0 after the next reset, until the machine ends.
 */
#include "core.h"

#include <string.h>

enum { NVM_CHECKSUM_WORD = 0x3F, NVM_SUM = 0xBABA };

/* 5.6: word, value. What is not here is 0xFFFF. 0..2 the address, 0x0B..0x0E PCI ids. */
static const struct {
    uint8_t word;
    uint16_t val;
} nvm_map[] = {
    { 0x03, 0x0000 },               /* compatibility */
    { 0x04, 0xFFFF },               /* LED and SerDes defaults: by the driver */
    { 0x05, 0x1002 },               /* image version */
    { 0x08, 0xFFFF }, { 0x09, 0xFFFF },     /* board number: none */
    { 0x0A, 0x4408 | 3 },           /* init control 1: signature 01b, full duplex, load PCI ids */
    { 0x0F, 0x3040 },               /* init control 2: pause both ways */
    { 0x10, 0x0008 },
    { 0x21, 0x7061 },
    { 0x22, 0x280C },
    { 0x23, 0x00C8 }, { 0x24, 0x00C8 },     /* init control 3: no wake-up by APM */
    { 0x2F, 0x0602 },               /* LED */
};

static uint16_t nvm_sum(const struct eeprom93 *ee)
{
    uint16_t sum = 0;

    for (unsigned i = 0; i < NVM_CHECKSUM_WORD; i++) {
        sum += ee->words[i];
    }
    return sum;
}

void nvm_init(struct intel_nic *s)
{
    struct eeprom93 *ee = &s->eeprom;

    eeprom93_init(ee, s->model->eeprom);
    for (unsigned i = 0; i < 3; i++) {
        ee->words[i] = ld_le16(s->conf.mac + 2 * i);
    }
    for (unsigned i = 0; i < ARRAY_LEN(nvm_map); i++) {
        ee->words[nvm_map[i].word] = nvm_map[i].val;
    }
    ee->words[0x0B] = ld_le16(s->pci.config + PCI_SUBSYSTEM_ID);
    ee->words[0x0C] = ld_le16(s->pci.config + PCI_SUBSYSTEM_VENDOR_ID);
    ee->words[0x0D] = s->model->device_id;
    ee->words[0x0E] = ld_le16(s->pci.config + PCI_VENDOR_ID);
    ee->words[NVM_CHECKSUM_WORD] = NVM_SUM - nvm_sum(ee);
}

/* 13.5.2, 13.5.3: RAL0 and RAH0 come from the EEPROM */
void nvm_load(struct intel_nic *s)
{
    const uint16_t *w = s->eeprom.words;

    reg_set(&s->regs, R_RAL, w[0] | (uint32_t)w[1] << 16);
    reg_set(&s->regs, R_RAH, w[2] | RAH_AV);
}

/* 13.4.3. The guest asks for the wires (REQ) and has them at once (GNT). */
uint32_t eecd_read(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    uint32_t v = a->val | EECD_PRES;

    v |= eeprom93_do(&s->eeprom) ? EECD_DO : 0;
    v |= v & EECD_REQ ? EECD_GNT : 0;
    v |= s->model->eeprom == EEPROM_93C66 ? EECD_SIZE : 0;
    return v;
}

void eecd_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    eeprom93_set(&s->eeprom, a->val & EECD_CS, a->val & EECD_SK, a->val & EECD_DI);
}

/* 13.4.4 */
void eerd_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    uint32_t addr = bits_get(a->val, EERD_ADDR_SHIFT, 8);
    uint32_t v = addr << EERD_ADDR_SHIFT;

    if (!s->model->has_eerd) {
        reg_set(&s->regs, R_EERD, 0);
        return;
    }
    if (a->val & EERD_START) {
        v |= EERD_DONE | (uint32_t)s->eeprom.words[addr & (s->eeprom.nwords - 1)] << EERD_DATA_SHIFT;
    }
    reg_set(&s->regs, R_EERD, v);
}

/* 13.4.5: EE_RST reads the EEPROM again */
void ctrl_ext_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    if (a->val & CTRL_EXT_EE_RST) {
        eeprom93_reset(&s->eeprom);
        nvm_load(s);
    }
}
