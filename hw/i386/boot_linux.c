/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/boot_linux.c - bzImage by the 32-bit boot protocol (Linux Documentation/arch/x86/boot.rst, zero-page.rst)
 *
 *   file   512-byte boot sector | setup sectors | protected-mode kernel
 *   header at 0x1F1, "HdrS" at 0x202, its length follows from the jump at 0x200
 *
 * boot_direct.c starts the kernel proper if it can. Otherwise the protected-mode part goes to code32_start (1 MiB) and
 * is entered there with ESI = boot_params; it moves itself to where it wants to unpack. The initrd goes as high as the
 * header's limit and RAM below 4 GiB allow.
 */
#include "hw/i386/boot_internal.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include <string.h>

enum { LOADER_UNDEFINED = 0xFF, PROTOCOL_MIN = 0x206 };
enum {                                      /* boot_params beyond the header: zero-page.rst */
    P_SIZE = 4096, P_EXT_MEM_K = 0x002, P_RSDP = 0x070, P_ALT_MEM_K = 0x1E0, P_E820_COUNT = 0x1E8, P_E820 = 0x2D0,
    E820_MAX = 128, E820_ENTRY = 20,
};
enum {
    SI_PAGE = 0x04, SI_MODE = 0x06, SI_COLS = 0x07, SI_EGA_BX = 0x0A, SI_LINES = 0x0E, SI_IS_VGA = 0x0F,
    SI_POINTS = 0x10,
};

static bool bad(const struct boot_file *f, Error **errp, const char *why)
{
    error_setg(errp, "'%s' is not a Linux kernel image that can be started here: %s", f->path, why);
    return false;
}

static bool check_header(const struct boot_file *f, struct linux_image *img, Error **errp)
{
    const uint8_t *h = img->setup;
    unsigned version = ld_le16(h + H_VERSION);
    uint64_t init_size;

    if (version < PROTOCOL_MIN) {
        error_setg(
            errp, "'%s' is not a Linux kernel image that can be started here: boot protocol %u.%02u is older than 2.06",
            f->path, version >> 8, version & 0xFF);
        return false;
    }
    if (!(h[H_LOADFLAGS] & LOADED_HIGH)) {
        return bad(f, errp, "it is a zImage, not a bzImage");
    }
    img->header_end = H_MAGIC + h[H_JUMP + 1];
    if (img->header_end < H_END_MIN) {
        return bad(f, errp, "its setup header is too short");
    }
    img->header_end = MIN(img->header_end, (uint32_t)H_END_MAX);
    img->kernel_off = ((h[H_SETUP_SECTS] ? h[H_SETUP_SECTS] : 4) + 1ull) * 512;
    if (img->kernel_off >= f->size) {
        error_setg(errp, "'%s' is truncated: it ends within its %" G_GUINT64_FORMAT " bytes of setup code", f->path,
                   img->kernel_off);
        return false;
    }
    img->kernel_len = f->size - img->kernel_off;
    img->load_addr = ld_le32(h + H_CODE32_START);
    img->initrd_max = ld_le32(h + H_INITRD_MAX);
    img->cmdline_max = ld_le32(h + H_CMDLINE_SIZE);
    img->need_end = img->load_addr + img->kernel_len;
    if (version >= 0x20A && img->header_end >= H_INIT_SIZE + 4) {
        /*
         * it unpacks at its preferred address or, loaded above that, at the next aligned one: up to init_size from
         * there
         */
        uint64_t pref = ld_le64(h + H_PREF_ADDRESS), start = MAX(pref, img->load_addr);

        init_size = ld_le32(h + H_INIT_SIZE);
        if (start < 4 * GiB) {
            img->need_end = MAX(img->need_end, start + init_size);
        }
    }
    return true;
}

/* The size that the kernel states of itself: syssize, in paragraphs, of the protected-mode part with its checksum */
static bool check_length(const struct boot_file *f, const struct linux_image *img, Error **errp)
{
    uint64_t want = (uint64_t)ld_le32(img->setup + 0x1F4) * 16;

    /* the last paragraph may be short, and signed images carry more */
    if (want > img->kernel_len + 15) {
        error_setg(errp,
                   "'%s' is truncated: its header announces %" G_GUINT64_FORMAT
                   " bytes of kernel, the file has %" G_GUINT64_FORMAT,
                   f->path, want, img->kernel_len);
        return false;
    }
    return true;
}

bool linux_parse(const struct boot_file *f, struct linux_image *img, bool *is_linux, Error **errp)
{
    *img = (struct linux_image){ 0 };
    *is_linux = false;
    if (f->size < H_END_MIN || !boot_file_read(f, 0, img->setup, MIN(f->size, sizeof(img->setup)), "header", NULL)) {
        return true;                        /* too short for one: not ours to judge */
    }
    if (ld_le16(img->setup + H_BOOT_FLAG) != 0xAA55 || memcmp(img->setup + H_MAGIC, "HdrS", 4)) {
        return true;
    }
    *is_linux = true;
    return check_header(f, img, errp) && check_length(f, img, errp);
}

/* ---- loading ---- */

static bool load_initrd(struct boot *b, const struct boot_machine *m, Error **errp)
{
    struct boot_module *rd = &b->mod[0];
    uint64_t top = MIN(m->below_4g, (uint64_t)b->linux_img.initrd_max + 1), floor = b->linux_img.need_end;

    if (!b->nmod || !rd->file.size) {
        return true;
    }
    if (rd->file.size > top || align_down(top - rd->file.size, RAM_PAGE_SIZE) < floor) {
        error_setg(errp,
                   "initrd '%s' of %" G_GUINT64_FORMAT " bytes does not fit into RAM between 0x%" G_GINT64_MODIFIER
                   "x, where '%s' ends, and 0x%" G_GINT64_MODIFIER "x",
                   rd->path, rd->file.size, floor, b->kernel.path, top);
        return false;
    }
    rd->addr = align_down(top - rd->file.size, RAM_PAGE_SIZE);
    return boot_put_file(m, rd->addr, &rd->file, 0, rd->file.size, "contents", errp);
}

/* What the video BIOS would have told the setup code: colour text mode 3 */
static void screen_info(uint8_t *p)
{
    p[SI_PAGE] = 0;
    p[SI_MODE] = 3;
    p[SI_COLS] = 80;
    st_le16(p + SI_EGA_BX, 0x0003);
    p[SI_LINES] = 25;
    p[SI_IS_VGA] = 1;
    st_le16(p + SI_POINTS, 16);
}

static void fill_e820(uint8_t *p, const struct boot_machine *m)
{
    unsigned n = MIN(m->ne820, (unsigned)E820_MAX);

    p[P_E820_COUNT] = n;
    for (unsigned i = 0; i < n; i++) {
        uint8_t *e = p + P_E820 + i * E820_ENTRY;

        st_le64(e, m->e820[i].addr);
        st_le64(e + 8, m->e820[i].size);
        st_le32(e + 16, m->e820[i].type);
    }
}

static void fill_params(uint8_t p[P_SIZE], const struct boot *b, const struct boot_machine *m)
{
    const struct linux_image *img = &b->linux_img;
    uint64_t ext_k = m->below_4g > MiB ? (m->below_4g - MiB) / KiB : 0;

    memcpy(p + H_SETUP_SECTS, img->setup + H_SETUP_SECTS, img->header_end - H_SETUP_SECTS);
    st_le16(p + P_EXT_MEM_K, MIN(ext_k, 0xFC00u));
    st_le32(p + P_ALT_MEM_K, ext_k);
    st_le64(p + P_RSDP, m->rsdp);
    st_le16(p + H_VID_MODE, 0xFFFF);
    p[H_LOADER] = LOADER_UNDEFINED;
    p[H_LOADFLAGS] = (p[H_LOADFLAGS] | LOADED_HIGH) & ~(CAN_USE_HEAP | KASLR_FLAG);
    p[H_LOADFLAGS] |= b->direct.kaslr ? KASLR_FLAG : 0;
    st_le32(p + H_CODE32_START, img->load_addr);
    st_le32(p + H_CMDLINE, BOOT_CMDLINE);
    st_le32(p + H_RAMDISK_IMAGE, b->nmod && b->mod[0].file.size ? (uint32_t)b->mod[0].addr : 0);
    st_le32(p + H_RAMDISK_SIZE, b->nmod ? (uint32_t)b->mod[0].file.size : 0);
    if (m->vga) {
        screen_info(p);
    }
    fill_e820(p, m);
}

bool linux_load(struct boot *b, const struct boot_machine *m, struct boot_entry *e, Error **errp)
{
    const struct linux_image *img = &b->linux_img;
    uint8_t params[P_SIZE] = { 0 };

    if (img->need_end > m->below_4g) {
        error_setg(errp, "'%s' needs RAM up to 0x%" G_GINT64_MODIFIER "x to unpack itself, the machine has it up to 0x%"
                   G_GINT64_MODIFIER "x: give it more with -m", b->kernel.path, img->need_end, m->below_4g);
        return false;
    }
    if (!load_initrd(b, m, errp) || !boot_put_cmdline(b, m, b->append, img->cmdline_max, errp)) {
        return false;
    }
    if (!direct_load(b, m, e)) {
        if (!boot_put_file(m, img->load_addr, &b->kernel, img->kernel_off, img->kernel_len, "kernel", errp)) {
            return false;
        }
        e->eip = img->load_addr;
    }
    e->esi = BOOT_INFO;
    fill_params(params, b, m);
    return boot_put(m, BOOT_INFO, params, sizeof(params), &b->kernel, "boot parameters", errp);
}
