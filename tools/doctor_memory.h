/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DOCTOR_MEMORY_H
#define DOCTOR_MEMORY_H

#include "doctor.h"

void doctor_thp(struct doctor *d);
void doctor_memory(struct doctor *d, const struct args *a);

#endif
