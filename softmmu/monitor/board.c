/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/monitor/board.c - see board.h: what it says, asked of the machine of this process */
#include "board.h"
#include "cli/machine_types.h"
#include "core/runstate.h"
#include "qapi/jval.h"
#include "softmmu/machine.h"
#include "softmmu/vcpu.h"

struct addr_space *board_memory(void)
{
    return machine_pc ? pc_memory(machine_pc) : NULL;
}

struct addr_space *board_io(void)
{
    return machine_pc ? pc_io(machine_pc) : NULL;
}

struct pci_bus *board_pci(void)
{
    return machine_pc ? pc_pci_bus(machine_pc) : NULL;
}

unsigned board_cpus(void)
{
    return machine_pc && pc_cpu(machine_pc, 0) ? pc_cpus(machine_pc) : 0;
}

struct x86_cpu *board_cpu(unsigned n)
{
    return n < board_cpus() ? pc_cpu(machine_pc, n) : NULL;
}

int board_thread_id(unsigned n)
{
    return n < vcpus_count() ? vcpu_thread_id(n) : 0;
}

void board_pause(bool on)
{
    runstate_pause_quietly(on);
}

void board_print_irq(GString *out)
{
    if (machine_pc) {
        pc_print_irq(machine_pc, out);
    }
}

void board_print_pic(GString *out)
{
    if (machine_pc) {
        pc_print_pic(machine_pc, out);
    }
}

void board_print_lapic(GString *out)
{
    for (unsigned i = 0; i < board_cpus(); i++) {
        pc_print_lapic(machine_pc, i, out);
    }
}

struct jval *board_types(void)
{
    struct jval *list = jval_list();

    for (const struct machine_type *t = machine_types; t->name; t++) {
        struct jval *m = jval_dict();

        jval_set_str(m, "name", t->name);
        if (t->alias) {
            jval_set_str(m, "alias", t->alias);
        }
        if (t->is_default) {
            jval_set_bool(m, "is-default", true);
        }
        jval_set_int(m, "cpu-max", t->cpu_max);
        jval_set_bool(m, "hotpluggable-cpus", false);
        jval_set_bool(m, "numa-mem-supported", false);
        jval_set_bool(m, "deprecated", false);
        jval_set_bool(m, "acpi", t->acpi);
        if (t->default_cpu) {
            jval_set_str(m, "default-cpu-type", t->default_cpu);
        }
        if (t->default_ram_id) {
            jval_set_str(m, "default-ram-id", t->default_ram_id);
        }
        jval_append(list, m);
    }
    return list;
}

void board_print_regs(unsigned n, GString *out)
{
    if (board_cpu(n)) {
        x86_cpu_print_regs(board_cpu(n), out);
    }
}

void board_print_mem(unsigned n, GString *out)
{
    if (board_cpu(n)) {
        x86_cpu_print_mem(board_cpu(n), out);
    }
}

void board_print_stats(unsigned n, GString *out)
{
    if (board_cpu(n)) {
        x86_cpu_print_stats(board_cpu(n), out);
    }
}

void board_set_log(uint32_t mask)
{
    for (unsigned i = 0; i < board_cpus(); i++) {
        x86_cpu_set_log(board_cpu(i), x86_log_bits(mask));
    }
}

void board_print_ops(unsigned n, GString *out)
{
    if (board_cpu(n)) {
        x86_cpu_print_ops(board_cpu(n), out);
    }
}

bool board_debug_read(unsigned n, uint64_t la, void *buf, size_t len)
{
    return board_cpu(n) && x86_cpu_debug_read(board_cpu(n), la, buf, len);
}

unsigned board_disas(unsigned n, uint64_t ip, const uint8_t *bytes, unsigned avail, char *text, unsigned size)
{
    return n < board_cpus() ? x86_disas(board_cpu(n), ip, bytes, avail, text, size) : 0;
}

bool board_reg(unsigned n, const char *name, uint64_t *val)
{
    return board_cpu(n) && x86_cpu_reg(board_cpu(n), name, val);
}

uint64_t board_pc(unsigned n)
{
    return board_cpu(n) ? x86_cpu_pc(board_cpu(n)) : 0;
}

bool board_halted(unsigned n)
{
    return board_cpu(n) && x86_cpu_halted(board_cpu(n));
}

void board_nmi(unsigned n)
{
    if (board_cpu(n)) {
        x86_cpu_nmi(board_cpu(n));
    }
}
