/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DOCTOR_STRAYS_H
#define DOCTOR_STRAYS_H

#include "doctor.h"

void doctor_strays(struct doctor *d);

#endif
