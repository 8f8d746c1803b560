/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DOCTOR_LIMITS_H
#define DOCTOR_LIMITS_H

#include "doctor.h"

void doctor_memlock(struct doctor *d);
void doctor_cgroup(struct doctor *d);

#endif
