/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/boot_direct.c - starting a Linux kernel proper without the boot stub of its bzImage
 *
 * The stub (arch/x86/boot/compressed) unpacks the kernel, which takes an emulated CPU long, and then does little: it
 * chooses where the kernel goes, copies the segments there, adjusts them to their virtual addresses, says in
 * boot_params whether that place is random, and jumps to it: in 64-bit mode with identity-mapped memory (boot.rst,
 * "64-bit boot protocol"), or for a 32-bit kernel as it was itself entered. All that is done here instead. What the
 * stub reads from the command line is obeyed (nokaslr) or makes us leave the kernel to it.
 *
 *   random place, 64 bits:  physical: multiples of kernel_alignment where init_size bytes of RAM below 4 GiB are free
 *                           virtual:  such multiples from pref_address on within 1 GiB from 0xFFFFFFFF80000000
 *   random place, 32 bits:  physical as above, but below 512 MiB; the virtual address goes with it
 *
 * Anything unusual (format, table of relocations, old kernel, CPU) is no error: the guest then unpacks the image
 * itself. What was unpacked comes from and goes to the cache; without it the buffer is dropped after use, and a reset unpacks
 * again.
 */
#include "hw/i386/boot_internal.h"
#include "hw/i386/boot_unpack.h"
#include "hw/i386/kernel_cache.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "lib/log.h"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#define VIRT_SPAN_64 GiB                /* arch/x86/include/asm/page_64_types.h: KERNEL_IMAGE_SIZE */
#define PHYS_SPAN_32 (512 * MiB)        /* page_32_types.h */

enum { PROTOCOL_DIRECT = 0x20C };       /* has xloadflags */
enum { KERNEL_MAJOR = 4, KERNEL_MINOR = 8 };        /* older ones have other tables and other ideas of KASLR */

/* What the setup header says, checked against itself and the file */
struct want {
    uint64_t payload_off, payload_len;  /* in the file */
    uint64_t base, align, init_size;
    bool movable, x64, la57;
};

static bool no(Error **errp, const char *why)
{
    error_setg(errp, "%s", why);
    return false;
}

/* ---- can it be done ---- */

/* kernel_version is the offset of "6.1.0-13-amd64 (who@where) #1 SMP..." behind the boot sector */
static bool known_version(const struct boot *b, Error **errp)
{
    uint64_t at = 0x200ull + ld_le16(b->linux_img.setup + H_KERNEL_VERSION);
    char text[33] = { 0 };
    unsigned major, minor;

    if (at == 0x200 || !boot_file_read(&b->kernel, at, text, sizeof(text) - 1, "version", NULL) ||
        sscanf(text, "%3u.%3u", &major, &minor) != 2) {
        return no(errp, "it does not say which version it is");
    }
    if (major < KERNEL_MAJOR || (major == KERNEL_MAJOR && minor < KERNEL_MINOR)) {
        return no(errp, "it is older than Linux 4.8");
    }
    return true;
}

static bool read_want(const struct boot *b, struct want *w, Error **errp)
{
    const struct linux_image *img = &b->linux_img;
    const uint8_t *h = img->setup;
    unsigned xlf = ld_le16(h + H_XLOADFLAGS);

    if (ld_le16(h + H_VERSION) < PROTOCOL_DIRECT || img->header_end < H_INIT_SIZE + 4) {
        return no(errp, "its boot protocol is older than 2.12");
    }
    *w = (struct want){
        .payload_off = ld_le32(h + H_PAYLOAD_OFFSET), .payload_len = ld_le32(h + H_PAYLOAD_LENGTH),
        .base = ld_le64(h + H_PREF_ADDRESS), .align = ld_le32(h + H_ALIGNMENT), .init_size = ld_le32(h + H_INIT_SIZE),
        .movable = h[H_RELOCATABLE], .x64 = xlf & XLF_KERNEL_64, .la57 = xlf & XLF_5LEVEL,
    };
    if (w->payload_len <= 16 || w->payload_off > img->kernel_len || w->payload_len > img->kernel_len - w->payload_off) {
        return no(errp, "it says nothing of a payload");
    }
    w->payload_off += img->kernel_off;
    if (!is_pow2(w->align) || w->align < (w->x64 ? 2 * MiB : RAM_PAGE_SIZE) || w->align > GiB || !w->base ||
        w->base % w->align || w->base > GiB || w->base < img->load_addr) {
        return no(errp, "it wants to be at an unusual place");
    }
    return known_version(b, errp);
}

/* The stub's words about where memory is, and about what else shall lie in it: the stub knows best. */
static const char *const stub_words[] = {
    "mem=", "memmap=", "hugepages=", "hugepagesz=", "default_hugepagesz=", "acpi_rsdp=", "efi_fake_mem=",
};

static bool suits(const struct boot *b, const struct boot_machine *m, const struct want *w, bool *nokaslr, Error **errp)
{
    g_auto(GStrv) words = g_strsplit_set(b->append, " \t\n", -1);

    *nokaslr = g_strv_contains((const char *const *)words, "nokaslr");
    for (unsigned i = 0; words[i]; i++) {
        for (unsigned k = 0; k < ARRAY_LEN(stub_words); k++) {
            if (g_str_has_prefix(words[i], stub_words[k])) {
                error_setg(errp, "'%s' on its command line", words[i]);
                return false;
            }
        }
    }
    if (w->x64 && !m->long_mode) {
        return no(errp, "the CPU has no 64-bit mode");
    }
    if (w->x64 && w->la57 && m->la57 && !g_strv_contains((const char *const *)words, "no5lvl")) {
        return no(errp, "it would switch to 5-level paging");
    }
    return true;
}

/* ---- unpacking ---- */

/* Not from the heap, which would keep some of it for good */
static void *map_anonymous(size_t len, Error **errp)
{
    void *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (map == MAP_FAILED) {
        error_setg(errp, "no memory to unpack it");
        return NULL;
    }
    madvise(map, len, MADV_HUGEPAGE);
    return map;
}

static bool unpack(struct boot *b, const struct want *w, const uint8_t *payload, Error **errp)
{
    uint64_t len = ld_le32(payload + w->payload_len - 4);
    size_t map_len = len + BOOT_UNPACK_SLACK;
    int64_t t = g_get_monotonic_time();
    void *map;

    if (len < 128 || len > MIN(w->init_size, VMLINUX_SIZE_MAX)) {
        return no(errp, "its unpacked size is out of bounds");
    }
    map = map_anonymous(map_len, errp);
    if (!map) {
        return false;
    }
    if (!boot_unpack(payload, w->payload_len, map, len, errp)) {
        munmap(map, map_len);
        return false;
    }
    log_line(LOG_TRACE, "kernel '%s': unpacked %" G_GUINT64_FORMAT " bytes in %d ms", b->kernel_path, len,
             (int)((g_get_monotonic_time() - t) / 1000));
    return vmlinux_take(&b->direct.vm, map, map_len, len, w->base, b->kernel_path, errp);
}

/* From memory to the cache, and from now on from there; if that fails, it stays in memory. */
static void store(struct boot *b)
{
    struct direct *d = &b->direct;
    struct vmlinux cached;
    Error *err = NULL;

    if (kernel_cache_put(&d->vm, d->key, &err) && kernel_cache_get(&cached, d->key, b->kernel_path, &err)) {
        vmlinux_fini(&d->vm);
        d->vm = cached;
        return;
    }
    log_line(LOG_TRACE, "kernel '%s': %s", b->kernel_path, error_text(err));
    error_free(err);
}

static bool from_payload(struct boot *b, const struct want *w, uint8_t *payload, Error **errp)
{
    struct direct *d = &b->direct;

    if (!boot_file_read(&b->kernel, w->payload_off, payload, w->payload_len, "payload", errp)) {
        return false;
    }
    if (d->use_cache) {
        kernel_cache_key(payload, w->payload_len, d->key);
        if (kernel_cache_get(&d->vm, d->key, b->kernel_path, NULL)) {
            log_line(LOG_TRACE, "kernel '%s': from the cache, %s", b->kernel_path, d->key);
            return true;
        }
    }
    if (!unpack(b, w, payload, errp)) {
        return false;
    }
    if (d->use_cache) {
        store(b);
    }
    return true;
}

static bool prepare(struct boot *b, const struct want *w, Error **errp)
{
    uint8_t *payload;
    bool ok;

    if (b->direct.vm.src.size) {
        return true;
    }
    payload = map_anonymous(w->payload_len, errp);
    ok = payload && from_payload(b, w, payload, errp);
    if (payload) {
        munmap(payload, w->payload_len);
    }
    return ok;
}

/* ---- where it goes ---- */

static bool random_below(uint64_t n, uint64_t *v, Error **errp)
{
    if (getrandom(v, sizeof(*v), 0) != sizeof(*v)) {
        return no(errp, "no random numbers");
    }
    *v %= n;                                /* n is small: the bias is nothing */
    return true;
}

/* How many places there are in [from, to), the first at a multiple of align */
static uint64_t slots_in(uint64_t from, uint64_t to, const struct want *w)
{
    from = align_up(from, w->align);
    return to > from && to - from >= w->init_size ? (to - from - w->init_size) / w->align + 1 : 0;
}

/* Slot @n of all RAM, or with n = UINT64_MAX only their number in *slots */
static uint64_t find_slot(const struct boot *b, const struct boot_machine *m, const struct want *w, uint64_t n,
                          uint64_t *slots)
{
    uint64_t end = MIN(m->below_4g, w->x64 ? 4 * GiB : PHYS_SPAN_32), floor = MIN(w->base, 512 * MiB), seen = 0;
    const struct boot_module *rd = &b->mod[0];
    bool initrd = b->nmod && rd->file.size;

    for (unsigned i = 0; i < m->ne820; i++) {
        uint64_t from = MAX(m->e820[i].addr, floor), to = MIN(m->e820[i].addr + m->e820[i].size, end);
        uint64_t cut[2][2] = { { from, to }, { 0, 0 } };

        if (m->e820[i].type != E820_RAM || from >= to) {
            continue;
        }
        if (initrd && rd->addr < to && rd->addr + rd->file.size > from) {
            cut[0][1] = rd->addr;
            cut[1][0] = rd->addr + rd->file.size;
            cut[1][1] = to;
        }
        for (unsigned k = 0; k < 2; k++) {
            uint64_t here = slots_in(cut[k][0], cut[k][1], w);

            if (n - seen < here) {
                return align_up(cut[k][0], w->align) + (n - seen) * w->align;
            }
            seen += here;
        }
    }
    *slots = seen;
    return 0;
}

struct place {
    uint64_t phys, virt;
};

static bool choose(const struct boot *b, const struct boot_machine *m, const struct want *w, bool kaslr,
                   struct place *at, Error **errp)
{
    const struct vmlinux *v = &b->direct.vm;
    uint64_t span = align_up(v->size, w->align), slots = 0, n;

    *at = (struct place){ w->base, v->virt };
    if (!kaslr) {
        return true;
    }
    find_slot(b, m, w, UINT64_MAX, &slots);
    if (slots) {
        if (!random_below(slots, &n, errp)) {
            return false;
        }
        at->phys = find_slot(b, m, w, n, &slots);
    }
    if (!v->is64) {
        at->virt = (uint32_t)(v->virt + (at->phys - w->base));
    } else if (w->base + span <= VIRT_SPAN_64) {
        if (!random_below((VIRT_SPAN_64 - w->base - span) / w->align + 1, &n, errp)) {
            return false;
        }
        at->virt += n * w->align;
    }
    return true;
}

/* ---- into 64-bit mode ---- */

enum { TABLE = 4096, TABLES = 6, TO64_64 = 49, TO64_ENTRY = 55 };
static_assert(BOOT_LISTS + TABLES * TABLE <= BOOT_LISTS_END && BOOT_LISTS % TABLE == 0, "room for page tables");

/* Runs at BOOT_TO64 in flat 32-bit mode: SDM vol. 3, 9.8.5 */
static const uint8_t to64[] = {
    0x0F, 0x20, 0xE0,                       /*  0  mov eax, cr4 */
    0x83, 0xC8, 0x20,                       /*  3  or eax, PAE */
    0x0F, 0x22, 0xE0,                       /*  6  mov cr4, eax */
    0xB8, BOOT_LISTS & 0xFF, BOOT_LISTS >> 8, 0, 0,     /*  9  mov eax, page tables */
    0x0F, 0x22, 0xD8,                       /* 14  mov cr3, eax */
    0xB9, 0x80, 0x00, 0x00, 0xC0,           /* 17  mov ecx, IA32_EFER */
    0x0F, 0x32,                             /* 22  rdmsr */
    0x0D, 0x00, 0x01, 0x00, 0x00,           /* 24  or eax, LME */
    0x0F, 0x30,                             /* 29  wrmsr */
    0x0F, 0x20, 0xC0,                       /* 31  mov eax, cr0 */
    0x0D, 0x00, 0x00, 0x00, 0x80,           /* 34  or eax, PG */
    0x0F, 0x22, 0xC0,                       /* 39  mov cr0, eax */
    0xEA, (BOOT_TO64 + TO64_64) & 0xFF, (BOOT_TO64 + TO64_64) >> 8, 0, 0, 0x10, 0,      /* 42  jmp 0x10:next */
    0xBE, BOOT_INFO & 0xFF, BOOT_INFO >> 8, 0, 0,       /* 49  mov esi, boot_params: the upper half becomes 0 */
    0xB8, 0, 0, 0, 0,                       /* 54  mov eax, entry point */
    0xFF, 0xE0,                             /* 59  jmp rax */
};
static_assert(sizeof(to64) == 61, "offsets above");

/* The first 4 GiB at their own addresses, in pages of 2 MiB: a PML4, a PDPT and four page directories */
static bool put_tables(const struct boot *b, const struct boot_machine *m, Error **errp)
{
    enum { PRESENT_RW = 3, LARGE = 1 << 7, ENTRIES = TABLE / 8 };
    g_autofree le64 *t = g_new0(le64, TABLES * ENTRIES);

    t[0] = le64_of((BOOT_LISTS + TABLE) | PRESENT_RW);
    for (unsigned i = 0; i < TABLES - 2; i++) {
        t[ENTRIES + i] = le64_of((BOOT_LISTS + (2 + i) * TABLE) | PRESENT_RW);
    }
    for (unsigned i = 0; i < (TABLES - 2) * ENTRIES; i++) {
        t[2 * ENTRIES + i] = le64_of(i * 2 * MiB | LARGE | PRESENT_RW);
    }
    return boot_put(m, BOOT_LISTS, t, TABLES * TABLE, &b->kernel, "page tables", errp);
}

static bool enter64(const struct boot *b, const struct boot_machine *m, struct boot_entry *e, uint64_t entry,
                    Error **errp)
{
    /* flat: 32-bit code for the way there, then __BOOT_CS and __BOOT_DS */
    le64 gdt[4] = { [1] = le64_of(0x00CF9B000000FFFF), [2] = le64_of(0x00AF9B000000FFFF),
                    [3] = le64_of(0x00CF93000000FFFF) };
    uint8_t code[sizeof(to64)];

    memcpy(code, to64, sizeof(code));
    st_le32(code + TO64_ENTRY, (uint32_t)entry);
    e->cs_sel = 0x08;
    e->eip = BOOT_TO64;
    return boot_put(m, BOOT_GDT, gdt, sizeof(gdt), &b->kernel, "descriptor table", errp) &&
           boot_put(m, BOOT_TO64, code, sizeof(code), &b->kernel, "way into 64-bit mode", errp) &&
           put_tables(b, m, errp);
}

/* ---- the whole ---- */

static bool place(struct boot *b, const struct boot_machine *m, const struct want *w, const struct place *at,
                  struct boot_entry *e, Error **errp)
{
    const struct vmlinux *v = &b->direct.vm;
    uint64_t entry = at->phys + v->entry;
    uint8_t *to = boot_bytes(m, at->phys, v->size, &b->kernel, "kernel", errp);
    bool ok;

    if (!to) {
        return false;
    }
    ok = vmlinux_place(v, to, m->ram_is_zero, at->virt - v->virt, errp);
    ram_written(m->ram, at->phys, v->size);
    if (!ok) {
        return false;
    }
    e->eip = (uint32_t)entry;
    return !v->is64 || enter64(b, m, e, entry, errp);
}

static bool try_load(struct boot *b, const struct boot_machine *m, const struct want *w, bool kaslr,
                     struct boot_entry *e, Error **errp)
{
    struct direct *d = &b->direct;
    struct boot_entry stub = *e;
    struct place at;

    if (!prepare(b, w, errp)) {
        return false;
    }
    if (d->vm.is64 != w->x64 || d->vm.base != w->base || d->vm.size > w->init_size) {
        return no(errp, "its header does not agree with what is in it");
    }
    kaslr = kaslr && w->movable && vmlinux_can_relocate(&d->vm);
    if (!choose(b, m, w, kaslr, &at, errp) || !place(b, m, w, &at, e, errp)) {
        *e = stub;
        return false;
    }
    d->kaslr = kaslr;
    e->kernel_phys = at.phys;
    e->kernel_virt = at.virt;
    log_line(LOG_TRACE, "kernel '%s': at 0x%" G_GINT64_MODIFIER "x, virtually 0x%" G_GINT64_MODIFIER "x%s",
             b->kernel_path, at.phys, at.virt, kaslr ? " (random)" : "");
    return true;
}

bool direct_load(struct boot *b, const struct boot_machine *m, struct boot_entry *e)
{
    struct boot_machine dirty = *m;
    struct direct *d = &b->direct;
    Error *err = NULL;
    bool nokaslr, ok;
    struct want w;

    d->kaslr = false;
    if (d->off) {
        return false;
    }
    ok = read_want(b, &w, &err) && suits(b, m, &w, &nokaslr, &err) && try_load(b, m, &w, !nokaslr, e, &err);
    if (!ok && d->vm.has_sum) {             /* bit rot, or somebody was at the file: once more without it */
        log_line(LOG_UNIMP, "kernel '%s': %s", b->kernel_path, error_text(err));
        error_free(g_steal_pointer(&err));
        vmlinux_fini(&d->vm);
        kernel_cache_drop(d->key);
        dirty.ram_is_zero = false;
        ok = try_load(b, &dirty, &w, !nokaslr, e, &err);
    }
    if (!ok) {
        log_line(LOG_UNIMP, "kernel '%s' is left to unpack itself: %s", b->kernel_path, error_text(err));
        error_free(err);
        d->off = true;
    }
    if (!ok || d->vm.map) {
        vmlinux_fini(&d->vm);
    }
    return ok;
}

void direct_fini(struct direct *d)
{
    vmlinux_fini(&d->vm);
}
