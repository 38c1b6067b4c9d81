/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/mem/space_internal.h - between the region tree and the address spaces */
#ifndef MEM_SPACE_INTERNAL_H
#define MEM_SPACE_INTERNAL_H

/** spaces_rebuild() - a region changed: make new views for all address spaces and tell their listeners */
void spaces_rebuild(void);

#endif
