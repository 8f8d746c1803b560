/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's edu devices, as the machines of tests/run have them: which driver
 * they have, and whether an IOMMU is between them and the memory.
 */
#ifndef HPM_PCI_H
#define HPM_PCI_H

#include "lent.h"

#define WIDE	"0000:00:10.0"		/* reaches all memory */
#define NARROW	"0000:00:11.0"		/* 28 bits, as QEMU makes it */
/* It has 32 bits, and a driver that does no DMA. */
#define SMBUS		"0000:00:1f.3"
/* One that has no driver of its own, nor gets one here. */
#define BRIDGE	"0000:00:00.0"

/* samples/edu: its driver, and its node. */
#define EDU_DRIVER	"hpage_map_edu"
#define EDU_NODE	"/dev/hpage_map_edu"

bool has_iommu(void);
/* A driver for one of them, and for no other; 0 or -errno of loading it. And the sample's. */
int load_for(const char *device, const char *module, const char *params);
int load_edu(const char *device, const char *params);
bool has_driver(const char *device, const char *driver);
/* Bind a device to a driver that is loaded, or take its driver away; 0 or -errno. */
int bind_to(const char *device, const char *driver);
int unbind(const char *device);
/* As a device that is pulled out, and one that is found again. */
void unplug(const char *device);
void plug_in(const char *device);
int edu_open(void);

/* The registers of an edu whose memory is on, and its DMA engine, driven by hand. */
volatile void *edu_registers(const char *device);
void edu_dma(volatile void *regs, uint64_t address, uint64_t bytes, bool to_memory);
/* The engine takes this much at once. */
#define EDU_BYTES	2048

#endif
