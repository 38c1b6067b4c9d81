/* SPDX-License-Identifier: BSD-2-Clause */
/* net/offload/vlan.h - 802.1Q tags: look, put in, take out; 12 bytes of MACs in front stay, so only they are copied */
#ifndef NET_OFFLOAD_VLAN_H
#define NET_OFFLOAD_VLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** vlan_get() - tag control of a frame that carries a tag with EtherType @tpid (0x8100 unless the NIC has a VET register) */
bool vlan_get(const uint8_t *frame, size_t len, uint16_t tpid, uint16_t *tci);
/** vlan_push() - new first 16 bytes of the frame from its first 12; the rest of the frame follows from offset 12 */
void vlan_push(uint8_t out[16], const uint8_t macs[12], uint16_t tpid, uint16_t tci);
/** vlan_pop() - remove the tag in place; Return: new length (unchanged when there is none) */
size_t vlan_pop(uint8_t *frame, size_t len, uint16_t tpid, uint16_t *tci);

#endif
