/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/qtest/lib/qtest.h - start the emulator under the test server and drive its ports, memory, clock and monitor
 *
 * The program under test is $PATCHBAY_BINARY. Anything unexpected (no reply, FAIL, death, exit status other than 0 at
 * the end) fails the test with g_error(). One struct qtest is one running emulator.
 */
#ifndef QTEST_H
#define QTEST_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct qtest;

/** qtest_main() - g_test_run(), or a TAP skip when there is no program to test */
int qtest_main(void);
/** qtest_start() - with these options, on top of what every start has */
struct qtest *qtest_start(const char *args);
/** qtest_quit() - SIGTERM; the emulator must end with status 0 */
void qtest_quit(struct qtest *q);

/** qtest_cmd() - send a line, return what follows "OK" (caller frees) */
char *qtest_cmd(struct qtest *q, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
uint32_t qtest_in(struct qtest *q, unsigned port, unsigned size);
void qtest_out(struct qtest *q, unsigned port, uint32_t val, unsigned size);
uint64_t qtest_readl(struct qtest *q, uint64_t addr);
void qtest_writel(struct qtest *q, uint64_t addr, uint32_t val);
void qtest_memread(struct qtest *q, uint64_t addr, void *buf, size_t len);
void qtest_memwrite(struct qtest *q, uint64_t addr, const void *buf, size_t len);
int64_t qtest_clock_step(struct qtest *q, int64_t ns);
/** qtest_irq() - level of pin @n of the intercepted controller, as far as the lines so far say */
bool qtest_irq(struct qtest *q, unsigned n);

/** qtest_qmp() - one command (JSON text); the reply object as text, events before it are dropped (caller frees) */
char *qtest_qmp(struct qtest *q, const char *json);

/* PCI, mechanism #1 */
uint32_t qpci_read(struct qtest *q, unsigned devfn, unsigned off, unsigned size);
void qpci_write(struct qtest *q, unsigned devfn, unsigned off, uint32_t val, unsigned size);
/** qpci_find() - devfn on bus 0 of the first device with this id, or fail */
unsigned qpci_find(struct qtest *q, uint16_t vendor, uint16_t device);
/** qpci_place() - size BAR @n and give it the next free address (I/O from 0xC000, memory from 0xE0000000) */
uint64_t qpci_place(struct qtest *q, unsigned devfn, unsigned n);
/** qpci_enable() - I/O, memory and bus master */
void qpci_enable(struct qtest *q, unsigned devfn);

#endif
