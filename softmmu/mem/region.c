/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/mem/region.c - the region tree: placing, enabling, moving
 *
 * Each change ends in region_changed(), which has every address space with a root above the region make a new view,
 * at once or at the end of the outermost batch.
 */
#include "mem/region.h"
#include "lib/bits.h"
#include "mem/ram.h"
#include "mem/space.h"
#include "softmmu/mem/space_internal.h"

static unsigned batch_depth;
static bool batch_changed;

static void region_changed(void)
{
    batch_changed = true;
    if (!batch_depth) {
        batch_changed = false;
        spaces_rebuild();
    }
}

void region_batch_begin(void)
{
    batch_depth++;
}

void region_batch_end(void)
{
    if (!--batch_depth && batch_changed) {
        batch_changed = false;
        spaces_rebuild();
    }
}

void region_init(struct region *r, const char *name, uint64_t size)
{
    *r = (struct region){ .kind = REGION_CONTAINER, .name = name, .size = size, .enabled = true };
    g_queue_init(&r->children);
}

void region_init_io(struct region *r, const char *name, uint64_t size, const struct region_ops *ops, void *opaque)
{
    region_init(r, name, size);
    r->kind = REGION_IO;
    r->ops = ops;
    r->opaque = opaque;
}

void region_init_ram(struct region *r, const char *name, struct ram_block *ram, bool readonly)
{
    region_init(r, name, ram->size);
    r->kind = readonly ? REGION_ROM : REGION_RAM;
    r->ram = ram;
}

void region_init_alias(struct region *r, const char *name, struct region *target, uint64_t off, uint64_t size)
{
    region_init(r, name, size);
    r->kind = REGION_ALIAS;
    r->alias = target;
    r->alias_off = off;
}

void region_fini(struct region *r)
{
    region_del(r);
}

void region_add(struct region *parent, uint64_t addr, struct region *child, int priority)
{
    GList *l = parent->children.head;

    child->parent = parent;
    child->addr = addr;
    child->priority = priority;
    /* behind those of higher priority, before its equals: of two equals the later one wins */
    while (l && ((struct region *)l->data)->priority > priority) {
        l = l->next;
    }
    if (l) {
        g_queue_insert_before(&parent->children, l, child);
    } else {
        g_queue_push_tail(&parent->children, child);
    }
    region_changed();
}

void region_del(struct region *child)
{
    if (child->parent) {
        g_queue_remove(&child->parent->children, child);
        child->parent = NULL;
        region_changed();
    }
}

void region_set_enabled(struct region *r, bool on)
{
    if (r->enabled != on) {
        r->enabled = on;
        region_changed();
    }
}

void region_set_addr(struct region *r, uint64_t addr)
{
    if (r->addr != addr) {
        r->addr = addr;
        region_changed();
    }
}

void region_set_alias_off(struct region *r, uint64_t off)
{
    if (r->alias_off != off) {
        r->alias_off = off;
        region_changed();
    }
}

void region_set_readonly(struct region *r, bool readonly)
{
    enum region_kind kind = readonly ? REGION_ROM : REGION_RAM;

    if (r->kind != kind) {
        r->kind = kind;
        region_changed();
    }
}

static void print_one(const struct region *r, uint64_t base, unsigned depth, GString *out)
{
    static const char *const kinds[] = { "container", "ram", "rom", "i/o", "alias" };
    uint64_t start = base + r->addr;

    g_string_append_printf(out, "%*s%016" G_GINT64_MODIFIER "x-%016" G_GINT64_MODIFIER "x (prio %d, %s): %s",
                           (int)depth * 2, "", start, start + r->size - 1, r->priority, kinds[r->kind], r->name);
    if (r->kind == REGION_ALIAS) {
        g_string_append_printf(out, " @%s %016" G_GINT64_MODIFIER "x", r->alias->name, r->alias_off);
    }
    g_string_append(out, r->enabled ? "\n" : " [disabled]\n");
    for (const GList *l = r->children.head; l; l = l->next) {
        print_one(l->data, start, depth + 1, out);
    }
}

void region_print(const struct region *root, GString *out)
{
    print_one(root, 0, 1, out);
}
