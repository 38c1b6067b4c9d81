/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/pci.h - conventional PCI: configuration space, BARs, INTx lines, option ROMs (PCI Local Bus Specification 3.0)
 *
 * A device type derives from pci_device_type, its instance starts with a struct pci_device, and its .cls points at a
 * struct pci_class_info. When the type's realize runs, the configuration header is filled in from that; realize then
 * registers its BARs with pci_bar() and adds capabilities with pci_add_cap(). Everything the guest may change in
 * configuration space is decided by two masks a byte: wmask (plain writes) and w1cmask (a written 1 clears the bit).
 *
 * BARs follow their registers and the decode bits of COMMAND at once, also while the device is at work: a region is
 * only moved in the tree, the device never sees it. Bus mastering is pci_device.dma.enabled.
 *
 * The bus owner (the board) gives a bus its address spaces, the swizzle from (device, pin) to one of its interrupt
 * lines and a function that drives such a line. Machine lock held throughout.
 */
#ifndef HW_PCI_PCI_H
#define HW_PCI_PCI_H

#include "core/device.h"
#include "lib/bytes.h"
#include "mem/dma.h"
#include "mem/region.h"

#define PCI_CONFIG_SIZE     256
#define PCI_DEVFN(slot, fn) ((uint8_t)((slot) << 3 | (fn)))
#define PCI_SLOT(devfn)     ((devfn) >> 3)
#define PCI_FUNC(devfn)     ((devfn) & 7)

/* Type 0 header, PCI 3.0 section 6.1 */
enum {
    PCI_VENDOR_ID       = 0x00,
    PCI_DEVICE_ID       = 0x02,
    PCI_COMMAND         = 0x04,
    PCI_STATUS          = 0x06,
    PCI_REVISION_ID     = 0x08,
    PCI_CLASS_PROG      = 0x09,
    PCI_CLASS_DEVICE    = 0x0A,
    PCI_CACHE_LINE_SIZE = 0x0C,
    PCI_LATENCY_TIMER   = 0x0D,
    PCI_HEADER_TYPE     = 0x0E,
    PCI_BIST            = 0x0F,
    PCI_BAR0            = 0x10,
    PCI_SUBSYSTEM_VENDOR_ID = 0x2C,
    PCI_SUBSYSTEM_ID    = 0x2E,
    PCI_ROM_ADDRESS     = 0x30,
    PCI_CAP_POINTER     = 0x34,
    PCI_INTERRUPT_LINE  = 0x3C,
    PCI_INTERRUPT_PIN   = 0x3D,
    PCI_MIN_GNT         = 0x3E,
    PCI_MAX_LAT         = 0x3F,
};

enum {                                  /* COMMAND, section 6.2.2 */
    PCI_COMMAND_IO       = 1 << 0,
    PCI_COMMAND_MEMORY   = 1 << 1,
    PCI_COMMAND_MASTER   = 1 << 2,
    PCI_COMMAND_SPECIAL  = 1 << 3,
    PCI_COMMAND_MWI      = 1 << 4,
    PCI_COMMAND_PARITY   = 1 << 6,
    PCI_COMMAND_SERR     = 1 << 8,
    PCI_COMMAND_INTX_OFF = 1 << 10,
};

enum {                                  /* STATUS, section 6.2.3 */
    PCI_STATUS_INTX      = 1 << 3,
    PCI_STATUS_CAPS      = 1 << 4,
    PCI_STATUS_66MHZ     = 1 << 5,
    PCI_STATUS_FAST_BACK = 1 << 7,
    PCI_STATUS_DEVSEL_MEDIUM = 1 << 9,
};

enum {                                  /* base class << 8 | subclass, appendix D */
    PCI_CLASS_IDE      = 0x0101,
    PCI_CLASS_ETHERNET = 0x0200,
    PCI_CLASS_VGA      = 0x0300,
    PCI_CLASS_HOST_BRIDGE = 0x0600,
    PCI_CLASS_ISA_BRIDGE  = 0x0601,
    PCI_CLASS_PCI_BRIDGE  = 0x0604,
    PCI_CLASS_OTHER_BRIDGE = 0x0680,
};

struct pci_device;
struct pci_bus;

/* What a device type is on the bus: its .cls. A type without one inherits its parent's. */
struct pci_class_info {
    uint16_t vendor, device;
    uint16_t subvendor, subdevice;      /* both 0: 1af4:1100, the ids that guests expect of an emulated board */
    uint16_t class;                     /* PCI_CLASS_* */
    uint8_t prog_if, revision;
    uint8_t pin;                        /* 0: no interrupt, 1: INTA# ... 4: INTD# */
    /* Bytes @off..@off+@len-1 of d->config were written by the guest (masks applied, BARs and COMMAND acted upon), or
     * the device was reset or loaded (off 0, len 256). NULL: nothing beyond the standard header to act upon. */
    void (*config_written)(struct pci_device *d, unsigned off, unsigned len);
    /* The guest is about to read those bytes: a register that has no place in d->config puts them there now. May be
     * NULL: there is none. */
    void (*config_reading)(struct pci_device *d, unsigned off, unsigned len);
    /* hw/pci/msi.h: the guest (or a reset) switched MSI, MSI-X or the function mask (@vector -1), or masked or unmasked
     * @vector. After the fact: ask msi_enabled() and the like. What was pending has been sent already. NULL: of no
     * interest. */
    void (*msi_changed)(struct pci_device *d, int vector);
};

#define PCI_DEFAULT_SUBVENDOR 0x1AF4
#define PCI_DEFAULT_SUBDEVICE 0x1100

enum pci_bar_type {
    PCI_BAR_MEM32 = 0x0,                /* the low bits of the register, section 6.2.5.1 */
    PCI_BAR_IO    = 0x1,
    PCI_BAR_MEM64 = 0x4,                /* takes two registers */
    PCI_BAR_PREFETCH = 0x8,             /* ored to one of the MEM types */
};

#define PCI_BARS    6
#define PCI_ROM_BAR 6
#define PCI_UNMAPPED UINT64_MAX

struct pci_bar {
    struct region *region;              /* NULL: no such BAR */
    uint64_t size;                      /* power of two */
    uint64_t addr;                      /* where the region is in the tree, or PCI_UNMAPPED */
    uint8_t type;                       /* enum pci_bar_type */
};

struct pci_device {
    struct device dev;                  /* first member */
    struct pci_bus *bus;                /* from realize to unrealize */
    const struct pci_class_info *info;
    uint8_t devfn;
    uint8_t config[PCI_CONFIG_SIZE];    /* little-endian, as the guest reads it */
    uint8_t wmask[PCI_CONFIG_SIZE];
    uint8_t w1cmask[PCI_CONFIG_SIZE];
    uint8_t hwmask[PCI_CONFIG_SIZE];    /* bits that the function changes by itself; all others in no mask are constant */
    uint8_t reset_config[PCI_CONFIG_SIZE];  /* what reset puts into the writable bits: config as realize left it */
    bool reset_config_valid;            /* taken at the first reset or the first write */
    struct pci_bar bars[PCI_BARS + 1];
    struct dma dma;                     /* for the device's own accesses; enabled follows COMMAND */
    bool irq_level;                     /* what the device wants of its pin */
    bool irq_on_bus;                    /* what the bus sees of it (INTx disable, MSI) */
    struct msi *msi;                    /* hw/pci/msi.h; NULL: none */
    struct msix *msix;
    uint64_t msi_sent, msi_lost;        /* messages; lost: bus mastering off, or to an address that takes none */
    uint8_t cap_last;                   /* offset of the last capability's link byte, 0: none yet */
    uint8_t cap_free;                   /* first offset that pci_add_cap() may give away */
    uint8_t pm_cap, pcie_cap;           /* hw/pci/caps.h; 0: none */
    struct ram_block *rom;              /* option ROM, or NULL */
    struct region rom_region;
    /* properties */
    int32_t addr;                       /* devfn, or -1: next free slot */
    char *romfile;                      /* NULL: the type's default (none); "": none */
    int32_t rombar;                     /* 0: no ROM BAR */
    uint32_t romsize;
    bool multifunction;
    char *failover_pair_id;
    uint32_t acpi_index;
    char *sriov_pf;
    uint64_t x_max_bounce;
    bool x_compat[4];                   /* x-pcie-*, command_serr_enable: accepted, without effect here */
};

/** pci_device_type - abstract parent of every PCI device type; .bus "PCI" */
extern const struct device_type pci_device_type;

static inline struct pci_device *pci_device_of(struct device *d)
{
    return (struct pci_device *)d;
}

/**
 * pci_bar() - register BAR @n with @r behind it
 * @n: 0..5; @type: enum pci_bar_type
 * Called from realize. The region (initialised by the device, its size a power of two: at least 4 bytes of I/O or 16
 * of memory) enters the tree when the guest gives it an address and decoding is on; pci_device_type's unrealize takes
 * it out.
 */
void pci_bar(struct pci_device *d, unsigned n, unsigned type, struct region *r);
/** pci_bar_addr() - where the guest placed BAR @n, or PCI_UNMAPPED */
uint64_t pci_bar_addr(const struct pci_device *d, unsigned n);

/**
 * pci_add_cap() - add a capability of @size bytes (with its two header bytes) to the list; from realize
 * @off: where, or 0: after the last one
 * Its bytes beyond the header are 0 and read-only until the caller sets config and wmask. MSI and MSI-X (hw/pci/msi.h)
 * are users of this. Return: its offset, or 0 when configuration space is full.
 */
unsigned pci_add_cap(struct pci_device *d, uint8_t id, unsigned off, unsigned size);
/** pci_find_cap() - offset of capability @id, 0: none */
unsigned pci_find_cap(const struct pci_device *d, uint8_t id);

/** pci_set_irq() - drive the device's INTx pin; level-triggered, repeated calls with one level are free */
void pci_set_irq(struct pci_device *d, bool level);

/** pci_config_read()/_write() - @len 1, 2 or 4 at any offset; what is past the end reads as ones and is not written */
uint32_t pci_config_read(struct pci_device *d, unsigned off, unsigned len);
void pci_config_write(struct pci_device *d, unsigned off, uint32_t val, unsigned len);

static inline uint16_t pci_command(const struct pci_device *d) { return ld_le16(d->config + PCI_COMMAND); }

/* ---- buses ---- */

#define PCI_IRQS_MAX 32

struct pci_bus_ops {
    /** map_irq() - line 0..nirq-1 of the bus that @pin (0: INTA#) of @d is wired to */
    int (*map_irq)(void *opaque, struct pci_device *d, int pin);
    /** set_irq() - line @irq is asserted by at least one device, or by none */
    void (*set_irq)(void *opaque, int irq, bool level);
    /**
     * msi() - a write of @data to @addr by @d as interrupt message (hw/pci/msi.h). False: @addr belongs to no interrupt
     * controller; it is then a write to RAM or, where there is none, lost. NULL: the bus has no such controller.
     */
    bool (*msi)(void *opaque, struct pci_device *d, uint64_t addr, uint32_t data);
};

struct pci_bus {
    struct bus bus;                     /* first member; kind "PCI" */
    uint8_t num;                        /* bus number: 0 for the root */
    struct pci_device *devices[256];    /* by devfn */
    const struct pci_bus_ops *ops;
    void *opaque;
    unsigned nirq;
    unsigned irq_count[PCI_IRQS_MAX];   /* asserting devices a line */
    struct region *mem, *io;            /* where BARs appear */
    struct addr_space *dma_as;          /* what bus masters see */
    uint8_t first_slot;                 /* lowest slot that automatic placement gives away */
    const char *const *rom_dirs;        /* where a romfile= without '/' is looked for; NULL-terminated, or NULL */
};

/**
 * pci_bus_init() - a root bus
 * @name: "pci.0"; @parent: the device that provides it, or NULL for the board
 * @mem, @io: regions that BARs are placed in; @dma_as: what devices' DMA reaches
 */
void pci_bus_init(struct pci_bus *b, const char *name, struct device *parent, const struct pci_bus_ops *ops,
                  void *opaque, unsigned nirq, struct region *mem, struct region *io, struct addr_space *dma_as);
/** pci_bus_fini() - all devices must be unrealized */
void pci_bus_fini(struct pci_bus *b);

static inline struct pci_bus *pci_bus_of(struct bus *b)
{
    return (struct pci_bus *)b;
}

/** pci_find_device() - by bus number (root buses only for now) and devfn; NULL: nobody answers */
struct pci_device *pci_find_device(struct pci_bus *root, uint8_t bus, uint8_t devfn);

/** pci_config_cycle_read()/_write() - a type 1 configuration cycle; nobody there: all ones, or nothing */
uint32_t pci_config_cycle_read(struct pci_bus *root, uint8_t bus, uint8_t devfn, unsigned off, unsigned len);
void pci_config_cycle_write(struct pci_bus *root, uint8_t bus, uint8_t devfn, unsigned off, uint32_t val, unsigned len);

/**
 * pci_new() - device_new() by type name with devfn set, for what a board solders on; NULL (and *errp): no such type
 * The function 0 of a slot with several must have .multifunction set before it is realized.
 */
struct pci_device *pci_new(const char *type, const char *id, int devfn, Error **errp);

/* ---- what firmware does, for machines that have none (-kernel) ---- */

struct pci_windows {
    uint32_t io_base, io_end;           /* I/O BARs go from io_base upwards, to io_end exclusive: 0xC000, 0x10000 */
    uint64_t mem_base, mem_end;         /* memory BARs from mem_end downwards to mem_base: 0xE0000000, 0xFEC00000 */
    /* Interrupt number to note in INTERRUPT_LINE for bus line @irq; NULL: the registers keep their value */
    uint8_t (*irq_line)(void *opaque, int irq);
    void *opaque;
};

/**
 * pci_assign_resources() - place every BAR that has no address, fill in INTERRUPT_LINE, enable decoding
 * Largest BARs first. A BAR that does not fit stays unmapped. ROM BARs get no address. Bus mastering stays off: drivers
 * enable it.
 */
void pci_assign_resources(struct pci_bus *b, const struct pci_windows *w);

/* ---- looking at it ---- */

struct pci_region_info {
    unsigned bar;                       /* 0..6 */
    bool io, prefetch, mem64;
    uint64_t address;                   /* PCI_UNMAPPED: none */
    uint64_t size;
};

/* What query-pci tells of a device */
struct pci_device_info {
    unsigned bus, slot, function;
    uint16_t vendor, device, subvendor, subdevice, class;
    const char *class_desc;             /* "Ethernet controller", or NULL for a class without a name here */
    const char *id;                     /* "" without one */
    unsigned pin;                       /* 0: none */
    unsigned irq;                       /* INTERRUPT_LINE; valid when pin != 0 */
    unsigned nregions;
    struct pci_region_info regions[PCI_BARS + 1];
};

void pci_query(const struct pci_device *d, struct pci_device_info *out);
/** pci_foreach() - devices in order of devfn */
void pci_foreach(struct pci_bus *b, void (*fn)(struct pci_device *d, void *opaque), void *opaque);
/** pci_print_info() - "info pci" */
void pci_print_info(struct pci_bus *b, GString *out);

void hw_pci_register_types(void);

#endif
