/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/monitor/board.h - the machine as the commands see it; NULL or nothing when there is none (-machine none)
 *
 * Everything that monitors want of the board goes through here, so that their tests can bring a machine of their own.
 */
#ifndef MONITOR_BOARD_H
#define MONITOR_BOARD_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct addr_space;
struct pci_bus;
struct x86_cpu;
struct jval;

struct addr_space *board_memory(void);
struct addr_space *board_io(void);
struct pci_bus *board_pci(void);
unsigned board_cpus(void);
struct x86_cpu *board_cpu(unsigned n);
int board_thread_id(unsigned n);
/** board_pause() - no CPU runs between (true) and (false); while the caller looks at CPUs */
void board_pause(bool on);
void board_print_irq(GString *out);
void board_print_pic(GString *out);
void board_print_lapic(GString *out);
/** board_types() - reply of query-machines */
struct jval *board_types(void);

/* CPU, by number; false: no such CPU */
void board_print_regs(unsigned n, GString *out);
void board_print_mem(unsigned n, GString *out);
/** board_set_log() - LOG_* that are on from now on */
void board_set_log(uint32_t mask);
void board_print_stats(unsigned n, GString *out);
void board_print_ops(unsigned n, GString *out);
bool board_debug_read(unsigned n, uint64_t la, void *buf, size_t len);
/** board_disas() - see x86_disas(); 0: cannot decode */
unsigned board_disas(unsigned n, uint64_t ip, const uint8_t *bytes, unsigned avail, char *text, unsigned size);
bool board_reg(unsigned n, const char *name, uint64_t *val);
uint64_t board_pc(unsigned n);
bool board_halted(unsigned n);
void board_nmi(unsigned n);

#endif
