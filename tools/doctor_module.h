/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DOCTOR_MODULE_H
#define DOCTOR_MODULE_H

#include "doctor.h"

void doctor_module(struct doctor *d);
void doctor_signing(struct doctor *d);

#endif
