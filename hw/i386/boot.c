/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/i386/boot.c - opening images, finding out what they are, and getting bytes into guest RAM */
#include "hw/i386/boot_internal.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---- */

bool boot_file_open(struct boot_file *f, const char *path, const char *what, Error **errp)
{
    struct stat st;

    *f = (struct boot_file){ .path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
    if (f->fd < 0 || fstat(f->fd, &st)) {
        error_setg_errno(errp, errno, "could not load %s '%s'", what, path);
        boot_file_close(f);
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        error_setg(errp, "could not load %s '%s': not a regular file", what, path);
        boot_file_close(f);
        return false;
    }
    f->size = (uint64_t)st.st_size;
    return true;
}

void boot_file_mem(struct boot_file *f, const char *path, const void *mem, uint64_t size)
{
    *f = (struct boot_file){ .path = path, .fd = -1, .mem = mem, .size = size };
}

void boot_file_close(struct boot_file *f)
{
    if (!f->mem && f->fd >= 0) {
        close(f->fd);
    }
    f->fd = -1;
}

bool boot_file_read(const struct boot_file *f, uint64_t off, void *buf, uint64_t len, const char *part, Error **errp)
{
    if (off > f->size || len > f->size - off) {
        error_setg(errp, "'%s' is truncated: its %s needs bytes %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                   ", the file has %" G_GUINT64_FORMAT, f->path, part, off, off + len, f->size);
        return false;
    }
    if (f->mem) {
        memcpy(buf, f->mem + off, len);
        return true;
    }
    while (len) {
        ssize_t n = pread(f->fd, buf, MIN(len, GiB), (off_t)off);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            error_setg(errp, "'%s': cannot read its %s: %s", f->path, part,
                       n ? g_strerror(errno) : "the file became shorter");
            return false;
        }
        buf = (char *)buf + n;
        off += (uint64_t)n;
        len -= (uint64_t)n;
    }
    return true;
}

/* ---- guest RAM ---- */

uint8_t *boot_bytes(const struct boot_machine *m, uint64_t addr, uint64_t len, const struct boot_file *f,
                    const char *part, Error **errp)
{
    uint64_t end = addr + len;
    bool low = end <= 0xA0000, high = addr >= BOOT_HIGH_START && end <= m->below_4g;

    if (end < addr || !(low || high) || end > m->ram->size) {
        error_setg(errp,
                   "'%s': no RAM for its %s at 0x%" G_GINT64_MODIFIER "x, 0x%" G_GINT64_MODIFIER "x bytes (RAM below "
                   "4 GiB ends at 0x%" G_GINT64_MODIFIER "x)",
                   f->path, part, addr, len, m->below_4g);
        return NULL;
    }
    return m->ram->host + addr;
}

bool boot_put_file(const struct boot_machine *m, uint64_t addr, const struct boot_file *f, uint64_t off, uint64_t len,
                   const char *part, Error **errp)
{
    uint8_t *to = boot_bytes(m, addr, len, f, part, errp);

    if (!to || !boot_file_read(f, off, to, len, part, errp)) {
        return false;
    }
    ram_written(m->ram, addr, len);
    return true;
}

bool boot_put(const struct boot_machine *m, uint64_t addr, const void *data, uint64_t len, const struct boot_file *f,
              const char *part, Error **errp)
{
    uint8_t *to = boot_bytes(m, addr, len, f, part, errp);

    if (!to) {
        return false;
    }
    memcpy(to, data, len);
    ram_written(m->ram, addr, len);
    return true;
}

bool boot_put_cmdline(const struct boot *b, const struct boot_machine *m, const char *text, uint64_t max, Error **errp)
{
    size_t len = strlen(text);

    max = MIN(max, (uint64_t)BOOT_CMDLINE_END - BOOT_CMDLINE - 1);
    if (len > max) {
        error_setg(errp, "kernel command line has %zu characters, '%s' takes at most %" G_GUINT64_FORMAT, len,
                   b->kernel.path, max);
        return false;
    }
    return boot_put(m, BOOT_CMDLINE, text, len + 1, &b->kernel, "command line", errp);
}

bool boot_put_gdt(const struct boot *b, const struct boot_machine *m, struct boot_entry *e, Error **errp)
{
    /* flat 4 GiB code (execute/read) and data (read/write), DPL 0 */
    le64 gdt[4] = { [2] = le64_of(0x00CF9B000000FFFF), [3] = le64_of(0x00CF93000000FFFF) };

    e->gdt_base = BOOT_GDT;
    e->gdt_limit = sizeof(gdt) - 1;
    e->cs_sel = 0x10;
    e->ds_sel = 0x18;
    return boot_put(m, BOOT_GDT, gdt, sizeof(gdt), &b->kernel, "descriptor table", errp);
}

bool boot_load_modules(struct boot *b, const struct boot_machine *m, uint64_t at, Error **errp)
{
    for (unsigned i = 0; i < b->nmod; i++) {
        struct boot_module *mod = &b->mod[i];

        at = align_up(at, RAM_PAGE_SIZE);
        if (!boot_put_file(m, at, &mod->file, 0, mod->file.size, "contents", errp)) {
            return false;
        }
        mod->addr = at;
        at += mod->file.size;
    }
    return true;
}

/* ---- opening ---- */

static bool open_module(struct boot *b, const char *spec, size_t path_len, const char *what, Error **errp)
{
    struct boot_module *mod = &b->mod[b->nmod];

    if (b->nmod == BOOT_MODULES_MAX) {
        error_setg(errp, "'%s': more than %d modules", b->kernel_path, BOOT_MODULES_MAX);
        return false;
    }
    mod->path = g_strndup(spec, path_len);
    mod->cmdline = g_strdup(spec);
    if (!boot_file_open(&mod->file, mod->path, what, errp)) {
        g_free(mod->path);
        g_free(mod->cmdline);
        return false;
    }
    b->nmod++;
    return true;
}

/* Linux and PVH: one initrd. Multiboot: "FILE ARGS,FILE ARGS"; a module's command line is all of it. */
static bool open_initrd(struct boot *b, const char *initrd, Error **errp)
{
    g_auto(GStrv) specs = NULL;

    if (b->kind != BOOT_MULTIBOOT) {
        return open_module(b, initrd, strlen(initrd), "initrd", errp);
    }
    specs = g_strsplit(initrd, ",", -1);
    for (unsigned i = 0; specs[i]; i++) {
        if (!open_module(b, specs[i], strcspn(specs[i], " "), "module", errp)) {
            return false;
        }
    }
    return true;
}

static bool identify(struct boot *b, Error **errp)
{
    bool is_linux;

    if (!linux_parse(&b->kernel, &b->linux_img, &is_linux, errp)) {
        return false;
    }
    if (is_linux) {
        b->kind = BOOT_LINUX;
        return true;
    }
    if (!elf_parse(&b->kernel, &b->elf, errp)) {
        return false;
    }
    b->kind = b->elf.kind;
    return true;
}

struct boot *boot_open(const struct boot_config *cfg, Error **errp)
{
    struct boot *b = g_new0(struct boot, 1);

    b->kernel.fd = -1;
    b->kernel_path = g_strdup(cfg->kernel);
    b->append = g_strdup(cfg->append ? cfg->append : "");
    b->direct.off = cfg->no_decompress;
    b->direct.use_cache = !cfg->no_cache;
    if (!boot_file_open(&b->kernel, b->kernel_path, "kernel", errp) || !identify(b, errp) ||
        (cfg->initrd && !open_initrd(b, cfg->initrd, errp))) {
        boot_close(b);
        return NULL;
    }
    return b;
}

struct boot *boot_open_mem(const void *kernel, uint64_t size, const char *append, Error **errp)
{
    struct boot *b = g_new0(struct boot, 1);

    b->kernel_path = g_strdup("image");
    b->append = g_strdup(append);
    boot_file_mem(&b->kernel, b->kernel_path, kernel, size);
    if (!identify(b, errp)) {
        boot_close(b);
        return NULL;
    }
    return b;
}

void boot_close(struct boot *b)
{
    if (!b) {
        return;
    }
    boot_file_close(&b->kernel);
    direct_fini(&b->direct);
    for (unsigned i = 0; i < b->nmod; i++) {
        boot_file_close(&b->mod[i].file);
        g_free(b->mod[i].path);
        g_free(b->mod[i].cmdline);
    }
    g_free(b->kernel_path);
    g_free(b->append);
    g_free(b);
}

enum boot_kind boot_kind(const struct boot *b)
{
    return b->kind;
}

/*
 * BIOS data area: where the EBDA begins and how much memory lies below it. Kernels look there when they have nothing
 * better.
 */
static bool put_bda(const struct boot *b, const struct boot_machine *m, Error **errp)
{
    le16 ebda = le16_of(BOOT_LOW_END >> 4), base_kib = le16_of(BOOT_LOW_END >> 10);

    return boot_put(m, 0x40E, &ebda, sizeof(ebda), &b->kernel, "BIOS data area", errp) &&
           boot_put(m, 0x413, &base_kib, sizeof(base_kib), &b->kernel, "BIOS data area", errp);
}

bool boot_load(struct boot *b, const struct boot_machine *m, struct boot_entry *entry, Error **errp)
{
    *entry = (struct boot_entry){ 0 };
    if (!put_bda(b, m, errp) || !boot_put_gdt(b, m, entry, errp)) {
        return false;
    }
    switch (b->kind) {
    case BOOT_LINUX:
        return linux_load(b, m, entry, errp);
    case BOOT_MULTIBOOT:
        return multiboot_load(b, m, entry, errp);
    default:
        return pvh_load(b, m, entry, errp);
    }
}
