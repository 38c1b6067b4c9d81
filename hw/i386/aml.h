/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/aml.h - writing ACPI machine language (ACPI 6.3, chapter 20)
 *
 * Everything is appended to a byte array. A construct with a PkgLength is opened, filled and closed; the length is put
 * in when it is closed. Names are paths as in ASL; a segment shorter than four characters is padded with '_'.
 */
#ifndef HW_I386_AML_H
#define HW_I386_AML_H

#include <glib.h>
#include <stdint.h>

typedef struct { guint at; } aml_mark;      /* where a PkgLength goes */

void aml_byte(GByteArray *b, uint8_t v);
void aml_bytes(GByteArray *b, unsigned size, uint64_t v);   /* little-endian */
void aml_path(GByteArray *b, const char *path);
void aml_int(GByteArray *b, uint64_t v);
void aml_string(GByteArray *b, const char *s);
void aml_eisaid(GByteArray *b, const char *id);             /* "PNP0A03" */

/** aml_close() - the construct opened at @m ends here */
void aml_close(GByteArray *b, aml_mark m);
aml_mark aml_scope(GByteArray *b, const char *path);
aml_mark aml_device(GByteArray *b, const char *name);
aml_mark aml_method(GByteArray *b, const char *name, unsigned args);    /* Serialized */
aml_mark aml_package(GByteArray *b, unsigned elements);
aml_mark aml_if(GByteArray *b);                             /* the predicate follows */
aml_mark aml_field(GByteArray *b, const char *region);      /* ByteAcc, NoLock, Preserve */
void aml_field_unit(GByteArray *b, const char *name, unsigned bits);

/** aml_name() - Name (NAME, <what follows>) */
void aml_name(GByteArray *b, const char *name);
void aml_name_int(GByteArray *b, const char *name, uint64_t v);
void aml_return(GByteArray *b);
void aml_and(GByteArray *b);                                /* And (<a>, <b>, <target>) */
void aml_or(GByteArray *b);
void aml_store(GByteArray *b);                              /* Store (<value>, <target>) */
void aml_no_target(GByteArray *b);
void aml_arg(GByteArray *b, unsigned n);
void aml_dword_field(GByteArray *b, const char *buffer_path, unsigned offset, const char *name);
void aml_dword_field_arg(GByteArray *b, unsigned arg, unsigned offset, const char *name);
void aml_op_region(GByteArray *b, const char *name, uint8_t space, uint64_t offset, uint64_t len);

/* Resource templates (ACPI 6.3, 6.4): open, descriptors, close */
GByteArray *aml_resources(void);
void aml_resources_end(GByteArray *b, GByteArray *res);     /* as a Buffer; frees @res */
void res_io(GByteArray *r, uint16_t base, uint8_t len);
void res_irq(GByteArray *r, unsigned irq);                  /* edge, active high, exclusive */
void res_interrupts_level(GByteArray *r, const uint8_t *irqs, unsigned n);  /* level, active high, shared */
void res_memory32(GByteArray *r, uint32_t base, uint32_t len);
void res_bus_numbers(GByteArray *r, uint16_t first, uint16_t last);
void res_word_io(GByteArray *r, uint16_t first, uint16_t last);
void res_dword_memory(GByteArray *r, uint32_t first, uint32_t last);
#endif
