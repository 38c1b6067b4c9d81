/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/net/register.c - the list of NIC families */
#include "hw/net/nics.h"

void hw_net_register_types(void)
{
    e1000_register_types();
    e1000e_register_types();
    virtio_net_register_types();
}
