/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_VMA_H
#define _HPM_VMA_H

struct hpage_map_buffer;
struct vm_area_struct;

unsigned int hpm_vma_count(const struct hpage_map_buffer *buf);
int hpm_vma_map(struct hpage_map_buffer *buf, struct vm_area_struct *vma);
int hpm_vma_map_anywhere(struct hpage_map_buffer *buf, struct vm_area_struct *vma);
unsigned long hpm_vma_choose(struct hpage_map_buffer *buf, unsigned long addr, unsigned long len,
			     unsigned long pgoff, unsigned long flags);

#endif
