/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DOCTOR_DEVICE_H
#define DOCTOR_DEVICE_H

#include "doctor.h"

#define DEVICE		"/dev/hpage_map"
/* Gives the device to a container. */
#define DEVICE_GIVE	"docker run --device=" DEVICE "\nbwrap --dev-bind " DEVICE " " DEVICE

enum answer doctor_loaded(void);
void doctor_device(struct doctor *d);
void doctor_dmabuf(struct doctor *d);

#endif
