/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/nvm.c - EEPROM: contents, bit-banged access (EECD), access by register (EERD, EEWR), loading at reset
 *
 * The maps are 8254x SDM table 5-2 and 82574 datasheet chapter 6. All 64 words add up to 0xBABA. The PCIe parts read
 * and write words by register; their EEPROM's own bus (SPI, by EECD) is not modelled: nobody answers there. The station address goes in at realize; whoever
 * reprograms the EEPROM finds the new one in RAL0/RAH0 after the next reset, until the machine ends.
 */
#include "core.h"

#include <string.h>

enum { NVM_CHECKSUM_WORD = 0x3F, NVM_SUM = 0xBABA };

/* Word, value. What is not here is 0xFFFF. 0..2 the address, 0x0B..0x0E PCI ids. */
struct nvm_word {
    uint8_t word;
    uint16_t val;
};

static const struct nvm_word nvm_8254x[] = {    /* 5.6 */
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

static const struct nvm_word nvm_82574[] = {    /* 82574 6.1 */
    { 0x03, 0x0420 },               /* compatibility */
    { 0x04, 0xFFFF },               /* LED defaults: by the driver */
    { 0x05, 0x2010 },               /* image version 2.1 */
    { 0x08, 0xFFFF }, { 0x09, 0xFFFF },     /* board number: none */
    { 0x0A, 0x4490 | 3 },           /* init control 1: signature 01b, load PCI ids */
    { 0x0F, 0x0041 },               /* init control 2: no manageability, full speed in D3 */
    { 0x10, 0xFFFF },
    { 0x14, 0x2C01 }, { 0x18, 0x6CFB }, { 0x19, 0x00C6 }, { 0x1A, 0x0009 },  /* PCIe: no ASPM */
    { 0x21, 0x7061 },
    { 0x23, 0x00C8 }, { 0x24, 0x00C8 },     /* init control 3: no wake-up by APM */
    { 0x37, 0xFFFF },               /* no alternate address */
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
    bool pcie = intel_has(s, INTEL_PCIE);
    const struct nvm_word *map = pcie ? nvm_82574 : nvm_8254x;
    unsigned n = pcie ? ARRAY_LEN(nvm_82574) : ARRAY_LEN(nvm_8254x);

    eeprom93_init(ee, s->model->eeprom);
    for (unsigned i = 0; i < 3; i++) {
        ee->words[i] = ld_le16(s->conf.mac + 2 * i);
    }
    for (unsigned i = 0; i < n; i++) {
        ee->words[map[i].word] = map[i].val;
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

    v |= v & EECD_REQ ? EECD_GNT : 0;
    if (intel_has(s, INTEL_PCIE)) {                 /* 82574 10.2.2.3: 64 words (SIZE 0), an EEPROM (NVMTYPE 0) */
        return v | EECD_AUTO_RD;
    }
    v |= eeprom93_do(&s->eeprom) ? EECD_DO : 0;
    v |= s->model->eeprom == EEPROM_93C66 ? EECD_SIZE : 0;
    return v;
}

void eecd_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    if (!intel_has(s, INTEL_PCIE)) {
        eeprom93_set(&s->eeprom, a->val & EECD_CS, a->val & EECD_SK, a->val & EECD_DI);
    }
}

/* 13.4.4 */
void eerd_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    uint32_t addr = bits_get(a->val, EERD_ADDR_SHIFT, 8);
    uint32_t v = addr << EERD_ADDR_SHIFT;

    if (!intel_has(s, INTEL_EERD)) {
        reg_set(&s->regs, R_EERD, 0);
        return;
    }
    if (a->val & EERD_START) {
        v |= EERD_DONE | (uint32_t)s->eeprom.words[addr & (s->eeprom.nwords - 1)] << EERD_DATA_SHIFT;
    }
    reg_set(&s->regs, R_EERD, v);
}

/* 82574 10.2.2.4: words beyond the EEPROM read as an empty bus */
void eerd_pcie_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    uint32_t addr = bits_get(a->val, EERW_ADDR_SHIFT, EERW_ADDR_BITS), v = addr << EERW_ADDR_SHIFT;

    if (a->val & EERW_START) {
        v |= EERW_DONE | (addr < s->eeprom.nwords ? (uint32_t)s->eeprom.words[addr] : 0xFFFF) << EERW_DATA_SHIFT;
    }
    reg_set(&s->regs, R_EERD, v);
}

/* 82574 10.2.2.16 */
void eewr_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    uint32_t addr = bits_get(a->val, EERW_ADDR_SHIFT, EERW_ADDR_BITS);

    if (a->val & EERW_START && addr < s->eeprom.nwords) {
        s->eeprom.words[addr] = a->val >> EERW_DATA_SHIFT;
    }
    reg_set(&s->regs, R_EEWR, (a->val & ~(uint32_t)EERW_START) | EERW_DONE);
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
