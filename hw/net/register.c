/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/net/register.c - the list of NIC families */
#include "hw/net/nics.h"

void hw_net_register_types(void)
{
    e1000_register_types();
}
